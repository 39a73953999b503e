package identitytest

// SampleUsers returns the users of a server without Config.Users. Their
// passwords are the part of the address before the @, followed by "-password":
//
//	trader@example.com    trader-password
//	admin@example.com     admin-password     role Admin
//	guarded@example.com   guarded-password   second factor by Email, code 246810
//	machine@example.com   machine-password   for the machine-to-machine sign-in
func SampleUsers() []User {
	return []User{
		{
			ID: "10e3bfcf-56f7-421d-84ea-1700209ae121", Email: "trader@example.com",
			Password: "trader-password", Nickname: "trader",
		},
		{
			ID: "4be0aa38-2c4e-4c0a-9a41-6a3f0bb0f0d2", Email: "admin@example.com",
			Password: "admin-password", Nickname: "admin", Role: "Admin",
		},
		{
			ID: "8f1d6a52-93a7-4d0f-b3f5-2e5c1c7a9e03", Email: "guarded@example.com",
			Password: "guarded-password", Nickname: "guarded",
			SecondFactorCode: "246810", SecondFactorProvider: "Email",
		},
		{
			ID: "c6f7d9b4-0d52-4b1e-8a77-5b8f4c2e6d04", Email: "machine@example.com",
			Password: "machine-password", Nickname: "machine",
		},
	}
}

// SampleClients returns the clients of a server without Config.Clients: the
// four of the platform. A secret is the client's ID followed by "-secret":
//
//	spa         public, authorization code, FrontOffice
//	spa_admin   spa_admin-secret, authorization code, FrontOffice and BackOffice
//	core_ib     core_ib-secret, password grant, BackOffice
//	lk          lk-secret, password grant, FrontOffice
//
// All may request openid and offline_access, spa and spa_admin also for
// profile.
func SampleClients() []Client {
	return []Client{
		{
			ID:         "spa",
			Scopes:     []string{"openid", "profile", "FrontOffice", "offline_access"},
			GrantTypes: []string{GrantAuthorizationCode},
		},
		{
			ID: "spa_admin", Secret: "spa_admin-secret",
			Scopes:     []string{"openid", "profile", "FrontOffice", "BackOffice", "offline_access"},
			GrantTypes: []string{GrantAuthorizationCode},
		},
		{
			ID: "core_ib", Secret: "core_ib-secret",
			Scopes:     []string{"openid", "BackOffice", "offline_access"},
			GrantTypes: []string{GrantPassword},
		},
		{
			ID: "lk", Secret: "lk-secret",
			Scopes:     []string{"openid", "FrontOffice", "offline_access"},
			GrantTypes: []string{GrantPassword},
		},
	}
}
