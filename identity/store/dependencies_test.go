package store_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Who imports a store compiles its driver and no other; who imports the interface compiles none.
func TestDriversStayInTheirStores(t *testing.T) {
	drivers := map[string]string{"redisstore": "github.com/redis/rueidis", "pgstore": "github.com/jackc/pgx", "sqlitestore": "modernc.org/sqlite"}
	for _, dir := range []string{".", "storetest", "memstore", "sqlitestore", "redisstore", "pgstore"} {
		out, err := exec.Command("go", "list", "-deps", "./"+filepath.ToSlash(dir)).Output()
		if err != nil {
			t.Fatal(err)
		}
		for home, driver := range drivers {
			if has, want := strings.Contains(string(out), driver), home == dir; has != want {
				t.Errorf("%s imports %s: %v, want %v", dir, driver, has, want)
			}
		}
	}
}
