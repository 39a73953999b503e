package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
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
	return s.answers.Render(w, r, status, templates.MachinePage(view))
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
	form, err := answer.Form(r)
	if err != nil {
		return err
	}
	m, ok := s.machine(form.Get("client"))
	if !ok {
		return answer.BadRequest("unknown machine client")
	}
	var done string
	var did event
	switch form.Get("action") {
	case "sign-in":
		did = eventMachineSignIn
		done, err = m.Client.ID()+" is signed in.", s.signInMachine(r.Context(), m)
	case "renew":
		did = eventMachineRenewed
		_, err = s.machineToken(r.Context(), m)
		done = "The token of " + m.Client.ID() + " is live."
	case "sign-out":
		did = eventMachineSignedOut
		done, err = m.Client.ID()+" is signed out.", s.release(r.Context(), machineName(m))
	default:
		return answer.BadRequest("unknown action")
	}
	if err != nil {
		return s.machineFailed(w, r, u, m, err)
	}
	s.events.record(r.Context(), did, "client", machineName(m), "user", u.Owner)
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
	if _, told := errors.AsType[*answer.Error](err); told || answer.Abandoned(r, err) { // a fault is ours, such as a store that is away
		return err
	}
	f := answer.Explain(r, err)
	problem := f.Text().Headline + "."
	switch {
	case errors.Is(err, identity.ErrBadCredentials):
		f.Status = http.StatusUnprocessableEntity
		problem = "The IdentityServer does not accept this e-mail and password. Correct the configured password; no restart is needed."
	case errors.Is(err, vault.ErrEnded), errors.Is(err, vault.ErrNotFound):
		f.Status = http.StatusConflict
		problem = "It is not signed in any more. Sign in again."
	}
	s.events.recordAt(r.Context(), answer.Level(f), eventMachineFailed, "client", machineName(m), "user", u.Owner, "error", err)
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
