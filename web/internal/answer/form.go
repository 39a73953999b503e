package answer

import (
	"errors"
	"net/http"
	"net/url"
)

// Form returns the posted form of r. Errors: *http.MaxBytesError, or a
// *[Error] with status 400.
func Form(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, tooLarge
		}
		return nil, BadRequest("the form cannot be read")
	}
	return r.PostForm, nil
}
