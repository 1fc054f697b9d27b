package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadLaterIsStronger(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, secret := filepath.Join(dir, "silkpost.toml"), filepath.Join(dir, "key")
	write(t, file, "listen = \"127.0.0.1:1\"\npublic_url = \"https://file.example.org/\"\nsmtp_connections = 3\nsecret_key = [\"aaaaaaaaaaaaaaaa\"]\n")
	write(t, secret, "cccccccccccccccc,dddddddddddddddd\n")
	c, err := Load(file, []string{
		"SILKPOST_LISTEN=127.0.0.1:2", "SILKPOST_SMTP_CONNECTIONS=4", "SILKPOST_DATA_DIR=/srv", "SILKPOST_SECRET_KEY_FILE=" + secret,
		"SILKPOST_UNKNOWN=x", "PATH=/bin", "SILKPOST_LOG_LEVEL=",
	}, map[string]any{"listen": "127.0.0.1:3"})
	if err != nil {
		t.Fatal(err)
	}
	want := Defaults()
	want.Listen, want.SMTPConnections, want.DataDir, want.PublicURL = "127.0.0.1:3", 4, "/srv", "https://file.example.org"
	want.SecretKey = []string{"cccccccccccccccc", "dddddddddddddddd"}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if shown := c.String(); strings.Contains(shown, "cccc") || !strings.Contains(shown, `secret_key       = "(hidden)"`) {
		t.Errorf("shown:\n%s", shown)
	}
}

func TestLoadNamesTheMistake(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "silkpost.toml")
	write(t, file, "lisen = \"127.0.0.1:1\"\n")
	wrong := func(content string) string {
		path := filepath.Join(t.TempDir(), "wrong.toml")
		write(t, path, content)
		return path
	}
	tests := []struct {
		file, env, want string
	}{
		{file, "", `there is no setting "lisen"`},
		{"/nowhere.toml", "", "settings file /nowhere.toml: no such file or directory"},
		{"/", "", "settings file /: is a directory"},
		{wrong("listen = \"127.0.0.1:1\"\npublic_url =\n"), "", "wrong.toml: line 2, column 13: a value is missing"},
		{wrong("listen = \"127.0.0.1:1\n"), "", "wrong.toml: line 1, column 22: "},
		{wrong("smtp_connections = \"many\"\n"), "", "smtp_connections has to be a number"},
		{wrong("smtp_url = [\"hidden\"]\n"), "", "smtp_url has to be a text"},
		{"", "SILKPOST_LISTEN=8080", `listen "8080"`},
		{"", "SILKPOST_LOG_FORMAT=xml", `log_format "xml"`},
		{"", "SILKPOST_SMTP_CONNECTIONS=many", "smtp_connections has to be a number"},
		{"", "SILKPOST_SMTP_CONNECTIONS=0", "smtp_connections 0"},
		{"", "SILKPOST_RETENTION_MONTHS=5", "retention_months 5"},
		{"", "SILKPOST_LOG_ATTEMPTS=none", `log_attempts "none"`},
		{"", "SILKPOST_LOG_ADDRESSES=yes", `log_addresses "yes"`},
		{"", "SILKPOST_DEBUG_LISTEN=9090", `debug_listen "9090"`},
		{"", "SILKPOST_PUBLIC_URL=http://news.example.org", "must begin with https://"},
		{"", "SILKPOST_PUBLIC_URL=news.example.org", `public_url "news.example.org"`},
		{"", "SILKPOST_SECRET_KEY_FILE=/nowhere", "SILKPOST_SECRET_KEY_FILE"},
		{"", "SILKPOST_SECRET_KEY=0123456789abcdef,hidden", "secret_key: key 2 of 2 has 6 characters, it needs 16 or more; in the environment commas and spaces part keys"},
	}
	for _, tt := range tests {
		_, err := Load(tt.file, []string{tt.env}, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s %s: got %v, want one line with %q", tt.file, tt.env, err, tt.want)
		}
	}
}

func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	c, err := Load("", []string{"SILKPOST_TRUSTED_PROXIES=127.0.0.1, 10.1.2.3/8 ::1,2001:db8::/32,::ffff:192.0.2.1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "[127.0.0.1/32 10.0.0.0/8 ::1/128 2001:db8::/32 192.0.2.1/32]"
	if got := fmt.Sprint(c.Proxies()); got != want || fmt.Sprint(c.TrustedProxies) != want || !strings.Contains(c.String(), "10.0.0.0/8") {
		t.Errorf("got %s, want %s:\n%s", got, want, c)
	}
	for _, wrong := range []string{"proxy.example.org", "10.0.0.0/33", "127.0.0.1:80", "*"} {
		if _, err := Load("", []string{"SILKPOST_TRUSTED_PROXIES=::1," + wrong}, nil); err == nil || !strings.Contains(err.Error(), `trusted_proxies "`+wrong+`"`) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	path := filepath.Join(t.TempDir(), "silkpost.toml")
	write(t, path, "trusted_proxies = [\"192.0.2.0/24\"]\n")
	if c, err := Load(path, nil, nil); err != nil || fmt.Sprint(c.Proxies()) != "[192.0.2.0/24]" {
		t.Errorf("from a file: %v, %v", c.Proxies(), err)
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	got := Unknown([]string{
		"SILKPOST_PUBLIK_URL=https://news.example.org", "SILKPOST_PUBLIC_URL=", "SILKPOST_CONFIG=x", "SILKPOST_SECRET_KEY_FILE=x", "SILKPOST_LISTEN_FILE=x",
		"SILKPOST_=", "PATH=/bin", "SILKPOSTAGE=1",
	})
	if diff := cmp.Diff([]string{"SILKPOST_PUBLIK_URL", "SILKPOST_LISTEN_FILE", "SILKPOST_"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
