package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
)

// machineName is how the vault knows a machine's client: apart from a user's client of the same id.
func machineName(m MachineIdentity) string { return "machine/" + m.Client.ID() }

func (s *Server) machinePage(w http.ResponseWriter, r *http.Request, _ user) error {
	return s.renderMachines(w, r, http.StatusOK, "", "")
}

// renderMachines shows all machines, and under the one named client a problem.
func (s *Server) renderMachines(w http.ResponseWriter, r *http.Request, status int, client, problem string) error {
	view := templates.Machine{Page: s.view(r, "Machine-to-machine")}
	for _, m := range s.config.Machine {
		shown, err := s.machineView(r.Context(), m)
		if err != nil {
			return err
		}
		if m.Client.ID() == client {
			shown.Problem = problem
		}
		view.Identities = append(view.Identities, shown)
	}
	return s.render(w, r, status, templates.MachinePage(view))
}

// machineView tells a machine's state. It renews nothing: looking is not use. Its error is that the state is not known.
func (s *Server) machineView(ctx context.Context, m MachineIdentity) (templates.MachineIdentity, error) {
	view := templates.MachineIdentity{Client: m.Client.ID(), Email: m.Email}
	status, err := s.heldStatus(ctx, machineName(m))
	switch {
	case errors.Is(err, vault.ErrEnded):
		view.Problem = "The IdentityServer ended this sign-in. Sign in again."
	case err == nil:
		view.SignedIn, view.Scopes = true, strings.Fields(status.Scope)
		view.Token = s.times(status)
	case !errors.Is(err, vault.ErrNotFound):
		return view, err
	}
	return view, nil
}

// machineAction signs a machine in or out, or has its token renewed if that is due.
func (s *Server) machineAction(w http.ResponseWriter, r *http.Request, u user) error {
	form, err := postForm(r)
	if err != nil {
		return err
	}
	m, ok := s.machine(form.Get("client"))
	if !ok {
		return &fault{Status: http.StatusBadRequest, Err: errors.New("unknown machine client")}
	}
	var done string
	switch form.Get("action") {
	case "sign-in":
		done, err = m.Client.ID()+" is signed in.", s.signInMachine(r.Context(), m)
	case "renew":
		_, err = s.machineToken(r.Context(), m)
		done = "The token of " + m.Client.ID() + " is live."
	case "sign-out":
		done, err = m.Client.ID()+" is signed out.", s.release(r.Context(), machineName(m))
	default:
		return &fault{Status: http.StatusBadRequest, Err: errors.New("unknown action")}
	}
	if err != nil {
		return s.machineFailed(w, r, u, m, err)
	}
	s.log(r.Context(), slog.LevelInfo, "machine "+form.Get("action"), "client", m.Client.ID(), "user", u.Owner)
	s.sessions.PutNotice(r.Context(), done)
	http.Redirect(w, r, "/machine", http.StatusSeeOther)
	return nil
}

func (s *Server) signInMachine(ctx context.Context, m MachineIdentity) error {
	return s.hold(ctx, machineName(m), func() (*oauth2.Token, error) {
		password, err := m.Password(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the password of machine client %s: %w", m.Client.ID(), err)
		}
		return m.Client.MachineToMachineSignIn(ctx, m.Email, password.Reveal())
	})
}

// machineToken returns a machine's live token.
func (s *Server) machineToken(ctx context.Context, m MachineIdentity) (*oauth2.Token, error) {
	key, err := s.held.Key(ctx, machineName(m))
	if err != nil {
		return nil, err
	}
	return s.token(ctx, key)
}

// machineFailed shows the page again, with what went wrong beside the machine.
func (s *Server) machineFailed(w http.ResponseWriter, r *http.Request, u user, m MachineIdentity, err error) error {
	if _, told := errors.AsType[*fault](err); told || abandoned(r, err) { // a fault is ours, such as a store that is away
		return err
	}
	f := explain(r, err)
	problem := f.Headline + "."
	switch {
	case errors.Is(err, identity.ErrBadCredentials):
		f.Status = http.StatusUnprocessableEntity
		problem = "The IdentityServer does not accept this e-mail and password. Correct the configured password; no restart is needed."
	case errors.Is(err, vault.ErrEnded), errors.Is(err, vault.ErrNotFound):
		f.Status = http.StatusConflict
		problem = "It is not signed in any more. Sign in again."
	}
	s.log(r.Context(), level(f), "machine sign-in failed", "client", m.Client.ID(), "user", u.Owner, "error", err)
	return s.renderMachines(w, r, f.Status, m.Client.ID(), problem)
}

func (s *Server) machine(client string) (MachineIdentity, bool) {
	for _, m := range s.config.Machine {
		if m.Client.ID() == client {
			return m, true
		}
	}
	return MachineIdentity{}, false
}
