// Package config holds the settings of a process. They are read in this order, the later the stronger: defaults, one TOML file,
// environment variables SILKPOST_…, flags. What administrators change (lists, feeds, sources) is not here but in the database.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	parser "github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/pelletier/go-toml/v2"

	"silkpost/internal/errs"
)

// Config is every setting. The names are those of the TOML file; the environment has them in capitals after SILKPOST_. A secret
// is never a flag; it may also be named by a file, as in SILKPOST_SECRET_KEY_FILE.
type Config struct {
	DatabaseURL     string   `koanf:"database_url" secret:"true"` // "" starts the private local Postgres
	DataDir         string   `koanf:"data_dir"`
	Listen          string   `koanf:"listen"`
	PublicURL       string   `koanf:"public_url"`      // without a slash at its end
	TrustedProxies  []string `koanf:"trusted_proxies"` // whose X-Forwarded-For is believed: networks (192.0.2.0/24); see Proxies
	SMTPURL         string   `koanf:"smtp_url" secret:"true"`
	SMTPFallbackURL string   `koanf:"smtp_fallback_url" secret:"true"` // stands in while the other relay cannot be reached; "": none does
	SMTPConnections int      `koanf:"smtp_connections"`
	RetryHours      int      `koanf:"retry_hours"`      // for how long a delivery is tried after its hour
	RetentionMonths int      `koanf:"retention_months"` // for how long deliveries are kept beyond their month; 0: for ever
	BounceDomain    string   `koanf:"bounce_domain"`    // where bounces come back to us, as b+…@ this; "": they go to the list's sender
	BounceListen    string   `koanf:"bounce_listen"`    // where its mail is taken in by SMTP; "": not
	BounceTLSCert   string   `koanf:"bounce_tls_cert"`  // file with its certificate and what leads to a root (PEM); "": it offers no TLS
	BounceTLSKey    string   `koanf:"bounce_tls_key"`   // file with the certificate's private key (PEM)
	BounceIMAPURL   string   `koanf:"bounce_imap_url" secret:"true"`
	InternalHosts   []string `koanf:"allow_internal_hosts"` // hosts, as in URLs, that sources and hubs may have although their addresses are internal
	FetchContact    string   `koanf:"fetch_contact"`        // where those who run sites reach us: an address of the web or mail; "": PublicURL
	FeedCacheMB     int      `koanf:"feed_cache_mb"`        // memory for feeds that are ready to be served, in MiB
	CatcherListen   string   `koanf:"catcher_listen"`       // where the demo's mail catcher takes mail
	SecretKey       []string `koanf:"secret_key" secret:"true"`
	DebugListen     string   `koanf:"debug_listen"`  // where metrics and profiles are served to operators; "": nowhere
	LogFormat       string   `koanf:"log_format"`    // text or json
	LogLevel        string   `koanf:"log_level"`     // debug, info, warn or error; "": what suits the command
	LogAttempts     string   `koanf:"log_attempts"`  // which attempts at deliveries have a line: all, or unsent
	LogAddresses    string   `koanf:"log_addresses"` // how such a line shows the address: masked or whole
}

// What log_attempts and log_addresses may be.
const (
	LogAll    = "all"
	LogUnsent = "unsent"
	Masked    = "masked"
	Whole     = "whole"
)

// minSecretKey is how many characters a key needs at least.
const minSecretKey = 16

// prefix is what the names of our environment variables begin with.
const prefix = "SILKPOST_"

// Defaults returns the settings that nothing else was said about.
func Defaults() Config {
	return Config{
		DataDir: defaultDataDir(), Listen: "127.0.0.1:8080", SMTPConnections: 20, RetryHours: 24, RetentionMonths: 13, FeedCacheMB: 64, CatcherListen: "127.0.0.1:0",
		LogFormat: "text", LogAttempts: LogAll, LogAddresses: Masked,
	}
}

// defaultDataDir is where the operating system wants such things.
func defaultDataDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/silkpost"
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "silkpost")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "share", "silkpost")
	}
	return "silkpost-data"
}

// Load reads the settings: path is the TOML file, "" for none; environ is os.Environ's form; flags are settings by name. A
// mistake is an error of kind errs.Invalid that names the setting, where it was found and what to write instead.
func Load(path string, environ []string, flags map[string]any) (Config, error) {
	k := koanf.New(".")
	if path != "" {
		if err := k.Load(file.Provider(path), parser.Parser()); err != nil {
			return Config{}, errs.New(errs.Invalid, "settings file %s: %w", path, Plain(err))
		}
		if unknown := without(k.Keys(), Names()); len(unknown) > 0 {
			return Config{}, errs.New(errs.Invalid, "settings file %s: there is no setting %q; there are %s",
				path, unknown[0], strings.Join(Names(), ", "))
		}
	}
	fromEnvironment, err := readEnvironment(environ)
	if err != nil {
		return Config{}, err
	}
	for _, layer := range []map[string]any{fromEnvironment, flags} {
		if err := k.Load(confmap.Provider(layer, ""), nil); err != nil {
			return Config{}, err
		}
	}
	c := Defaults()
	if err := k.Unmarshal("", &c); err != nil {
		return Config{}, wrongKind(err)
	}
	return c.validate()
}

// Plain returns what is wrong with a TOML file that is named already, and where.
func Plain(err error) error {
	if wrong := (*toml.DecodeError)(nil); errors.As(err, &wrong) {
		line, column := wrong.Position()
		reason := strings.TrimPrefix(wrong.Error(), "toml: ")
		if strings.HasPrefix(reason, "unexpected character U+000A") {
			reason = "a value is missing at the end of the line"
		}
		return errs.New(errs.Invalid, "line %d, column %d: %s", line, column, reason)
	}
	if about := (*fs.PathError)(nil); errors.As(err, &about) {
		return about.Err
	}
	return err
}

// wrongKind says which setting has a value of a wrong kind, without the value: it may be a secret.
func wrongKind(err error) error {
	t := reflect.TypeFor[Config]()
	for i, name := range Names() {
		if strings.Contains(err.Error(), "'"+name) {
			kind := map[reflect.Kind]string{reflect.String: "a text", reflect.Int: "a number", reflect.Slice: "a list of texts"}[t.Field(i).Type.Kind()]
			return errs.New(errs.Invalid, "%s has to be %s", name, kind)
		}
	}
	return errs.New(errs.Invalid, "settings: %s", strings.Join(strings.Fields(err.Error()), " "))
}

// Unknown returns the variables that look like ours and are none: a typo in a name would otherwise go unseen.
func Unknown(environ []string) (unknown []string) {
	for _, entry := range environ {
		variable, _, _ := strings.Cut(entry, "=")
		key, ours := strings.CutPrefix(variable, prefix)
		name := strings.ToLower(key)
		if base, isFile := strings.CutSuffix(name, "_file"); isFile && isSecret(base) {
			name = base
		}
		if ours && name != "config" && !slices.Contains(Names(), name) {
			unknown = append(unknown, variable)
		}
	}
	return unknown
}

// readEnvironment takes our variables, and reads the files that …_FILE names for secrets. Variables that are not settings are
// left alone: see Unknown.
func readEnvironment(environ []string) (map[string]any, error) {
	found := map[string]any{}
	for _, entry := range environ {
		variable, value, _ := strings.Cut(entry, "=")
		key, ours := strings.CutPrefix(variable, prefix)
		name := strings.ToLower(key)
		if base, isFile := strings.CutSuffix(name, "_file"); ours && isFile && isSecret(base) {
			content, err := os.ReadFile(value)
			if err != nil {
				return nil, errs.New(errs.Invalid, "%s: %w", variable, err)
			}
			name, value = base, strings.TrimSpace(string(content))
		}
		switch {
		case !ours || value == "" || !slices.Contains(Names(), name):
		case isList(name):
			found[name] = strings.Fields(strings.ReplaceAll(value, ",", " "))
		default:
			found[name] = value
		}
	}
	return found, nil
}

// validate checks what can be checked without acting on it, and returns the settings in their usual form.
func (c Config) validate() (Config, error) {
	if !slices.Contains([]string{"text", "json"}, c.LogFormat) {
		return c, errs.New(errs.Invalid, "log_format %q: it is text or json", c.LogFormat)
	}
	if !slices.Contains([]string{"", "debug", "info", "warn", "error"}, c.LogLevel) {
		return c, errs.New(errs.Invalid, "log_level %q: it is debug, info, warn or error", c.LogLevel)
	}
	if !slices.Contains([]string{LogAll, LogUnsent}, c.LogAttempts) {
		return c, errs.New(errs.Invalid, "log_attempts %q: it is all or unsent", c.LogAttempts)
	}
	if !slices.Contains([]string{Masked, Whole}, c.LogAddresses) {
		return c, errs.New(errs.Invalid, "log_addresses %q: it is masked or whole", c.LogAddresses)
	}
	if c.SMTPConnections < 1 || c.SMTPConnections > 1000 {
		return c, errs.New(errs.Invalid, "smtp_connections %d: it is a number from 1 to 1000", c.SMTPConnections)
	}
	if c.RetryHours < 1 || c.RetryHours > 5*24 {
		return c, errs.New(errs.Invalid, "retry_hours %d: it is a number from 1 to 120, which is five days", c.RetryHours)
	}
	if c.RetentionMonths != 0 && (c.RetentionMonths < 6 || c.RetentionMonths > 1200) {
		return c, errs.New(errs.Invalid, "retention_months %d: it is a number from 6 to 1200, or 0 to keep deliveries for ever", c.RetentionMonths)
	}
	if c.FeedCacheMB < 1 || c.FeedCacheMB > 1<<20 {
		return c, errs.New(errs.Invalid, "feed_cache_mb %d: it is a number of MiB from 1 to 1048576", c.FeedCacheMB)
	}
	if err := c.checkFetching(); err != nil {
		return c, err
	}
	for i, key := range c.SecretKey {
		if len(key) < minSecretKey {
			return c, errs.New(errs.Invalid, "secret_key: key %d of %d has %d characters, it needs %d or more; in the environment commas and spaces part keys",
				i+1, len(c.SecretKey), len(key), minSecretKey)
		}
	}
	for name, address := range map[string]string{
		"listen": c.Listen, "catcher_listen": c.CatcherListen, "bounce_listen": c.BounceListen, "debug_listen": c.DebugListen,
	} {
		if address == "" && (name == "bounce_listen" || name == "debug_listen") {
			continue
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			return c, errs.New(errs.Invalid, "%s %q: it is host:port, such as 127.0.0.1:8080", name, address)
		}
	}
	for i, proxy := range c.TrustedProxies {
		network, err := parseNetwork(proxy)
		if err != nil {
			return c, errs.New(errs.Invalid, "trusted_proxies %q: it is an address or a network, such as 127.0.0.1 or 10.0.0.0/8", proxy)
		}
		c.TrustedProxies[i] = network.String()
	}
	if (c.BounceDomain != "") != (c.BounceListen != "" || c.BounceIMAPURL != "") {
		return c, errs.New(errs.Invalid, "bounces need bounce_domain, where they go, and bounce_listen or bounce_imap_url, where they are taken in")
	}
	if (c.BounceTLSCert == "") != (c.BounceTLSKey == "") || c.BounceTLSCert != "" && c.BounceListen == "" {
		return c, errs.New(errs.Invalid, "TLS for bounces needs bounce_tls_cert, bounce_tls_key and bounce_listen, or none of the first two")
	}
	var err error
	if c.DataDir, err = filepath.Abs(c.DataDir); err != nil {
		return c, errs.New(errs.Invalid, "data_dir %q: %w", c.DataDir, err)
	}
	c.PublicURL, err = checkPublicURL(c.PublicURL)
	return c, err
}

// checkFetching checks what stands in requests to other sites.
func (c Config) checkFetching() error {
	for i, host := range c.InternalHosts {
		bare := strings.Trim(host, "[]")
		_, err := netip.ParseAddr(bare)
		if u, parseErr := url.Parse("http://" + host); err != nil && (parseErr != nil || host == "" || u.Host != host || u.Port() != "") {
			return errs.New(errs.Invalid, "allow_internal_hosts %q: it is a host as it stands in an address, such as intranet.example.org or 10.0.0.5", host)
		}
		c.InternalHosts[i] = bare
	}
	if strings.ContainsFunc(c.FetchContact, func(r rune) bool { return r <= ' ' || r > '~' || r == '(' || r == ')' }) {
		return errs.New(errs.Invalid, "fetch_contact %q: it is an address of the web or of mail, such as https://www.example.org/about or news@example.org", c.FetchContact)
	}
	return nil
}

// checkPublicURL wants https, because mail programs follow List-Unsubscribe links over https alone (RFC 8058); plain http is for
// trying things out on one's own machine.
func checkPublicURL(raw string) (string, error) {
	if raw == "" {
		return "", nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return "", errs.New(errs.Invalid, "public_url %q: it is where readers reach this program, such as https://news.example.org", raw)
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return "", errs.New(errs.Invalid, "public_url %q: it must begin with https://, or mail programs will not follow the unsubscribe link", raw)
	}
	return strings.TrimRight(raw, "/"), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// parseNetwork reads a network, or an address, which is a network of its own.
func parseNetwork(s string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(s); err == nil {
		return address.Unmap().WithZone("").Prefix(address.Unmap().BitLen())
	}
	network, err := netip.ParsePrefix(s)
	return network.Masked(), err
}

// Proxies returns the networks of TrustedProxies. Load has checked them.
func (c Config) Proxies() (networks []netip.Prefix) {
	for _, proxy := range c.TrustedProxies {
		if network, err := parseNetwork(proxy); err == nil {
			networks = append(networks, network)
		}
	}
	return networks
}

// Names returns the names of all settings in their order.
func Names() []string {
	t := reflect.TypeFor[Config]()
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("koanf")
	}
	return names
}

func isSecret(name string) bool { return fieldOf(name).Tag.Get("secret") == "true" }

// isList reports whether a setting has several values, which in the environment commas and spaces part.
func isList(name string) bool {
	kind := fieldOf(name).Type
	return kind != nil && kind.Kind() == reflect.Slice
}

// fieldOf returns the field of a setting, the zero one when there is no such setting.
func fieldOf(name string) reflect.StructField {
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		if f := t.Field(i); f.Tag.Get("koanf") == name {
			return f
		}
	}
	return reflect.StructField{}
}

// String returns the settings as a TOML file that may be shown: secrets are hidden.
func (c Config) String() string {
	var b strings.Builder
	shown := c.Shown()
	for _, name := range Names() {
		fmt.Fprintf(&b, "%-16s = %s\n", name, shown[name])
	}
	return b.String()
}

// Shown returns the settings by name, written as in a TOML file: secrets are hidden.
func (c Config) Shown() map[string]string {
	shown := map[string]string{}
	v := reflect.ValueOf(c)
	for i, name := range Names() {
		value := fmt.Sprintf("%q", fmt.Sprint(v.Field(i).Interface()))
		switch {
		case v.Field(i).IsZero():
			value = `""`
		case isSecret(name):
			value = `"(hidden)"`
		case v.Field(i).Kind() == reflect.Int:
			value = fmt.Sprint(v.Field(i).Interface())
		}
		shown[name] = value
	}
	return shown
}

// without returns what of all is not in known.
func without(all, known []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(known, s) })
}
