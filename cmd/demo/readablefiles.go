package main

import (
	"fmt"
	"os"
	"runtime"
)

// readableFiles returns a warning for each file with secrets, or with the names
// of such files, that every account of this machine can read or change.
func (s *settings) readableFiles() []string {
	if runtime.GOOS == "windows" { // whose modes say nothing of other accounts
		return nil
	}
	files := [][2]string{{"-session-keys-file", s.sessionKeysFile}, {"-platforms-file", s.platformsFile}}
	for _, secret := range s.secrets() {
		files = append(files, [2]string{secret.name + "_FILE", secret.file})
	}
	if s.platformsFile != "" {
		file, _ := readPlatforms(s.platformsFile) // its problems are reported elsewhere
		files = append(files, file.secretFiles()...)
	}
	var warnings []string
	for _, f := range files {
		info, err := os.Stat(f[1])
		if f[1] == "" || err != nil {
			continue
		}
		if mode := info.Mode().Perm(); mode&0o006 != 0 {
			warnings = append(warnings, fmt.Sprintf("%s %s has the mode %#o: every account of this machine can read or change it; make it %#o", f[0], f[1], mode, mode&0o770))
		}
	}
	return warnings
}

// secretFiles returns the members that name files, with the names.
func (f platformsFile) secretFiles() [][2]string {
	var files [][2]string
	if e := f.B2Core; e != nil {
		files = append(files, [2]string{"-platforms-file: b2core.bearer_file", e.BearerFile}, [2]string{"-platforms-file: b2core.password_file", e.PasswordFile})
	}
	if e := f.TraderEvolution; e != nil {
		files = append(files, [2]string{"-platforms-file: traderevolution.password_file", e.PasswordFile})
	}
	if e := f.Tradevest; e != nil {
		files = append(files, [2]string{"-platforms-file: tradevest.client_secret_file", e.ClientSecretFile})
	}
	if e := f.B2BINPAY; e != nil {
		files = append(files, [2]string{"-platforms-file: b2binpay.password_file", e.PasswordFile})
	}
	if e := f.B2BINPAYV3; e != nil {
		files = append(files, [2]string{"-platforms-file: b2binpay-v3.client_secret_file", e.ClientSecretFile})
	}
	return files
}
