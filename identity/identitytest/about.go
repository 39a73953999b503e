package identitytest

// aboutPage tells a visitor of GET / what answers here.
const aboutPage = `<!doctype html>
<html lang="en">
<title>identitytest</title>
<h1>A test IdentityServer</h1>
<p>This server imitates the IdentityServer of B2Trader for tests and demos. Its users, tokens and keys are made up. It answers on loopback only.</p>
<ul>
<li><a href="/identity/.well-known/openid-configuration">Discovery document</a>
<li>Sign-in: POST /identity/sign-in
<li>APIs: /frontoffice/api/v3/account, /backoffice/api/v1/users
<li>Streams: the websocket /frontoffice/ws/v4/account
<li>Documentation: <code>go doc b2trader.identity.auth/identity/identitytest</code>
</ul>
`

// about answers GET /.
func (s *Server) about(x *exchange) { x.html(aboutPage) }
