package chainclient

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
)

// errURL stands for a URL that cannot be read, since the reason would quote it.
var errURL = errors.New("not a URL")

// dial connects. An http connection is given only the public part of the URL and
// the rest by its transport, so that later errors cannot say it either.
func dial(ctx context.Context, endpoint string) (*ethclient.Client, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, errURL
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return ethclient.DialContext(ctx, endpoint)
	}
	hc := &http.Client{Transport: secretURL{http.DefaultTransport, u}}
	c, err := rpc.DialOptions(ctx, publicPart(endpoint), rpc.WithHTTPClient(hc))
	if err != nil {
		return nil, err
	}
	return ethclient.NewClient(c), nil
}

// secretURL sends what was asked of an endpoint's public part to the whole of it.
type secretURL struct {
	next http.RoundTripper
	full *url.URL
}

// RoundTrip implements http.RoundTripper.
func (s secretURL) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != s.full.Scheme || r.URL.Host != s.full.Host || r.URL.Path != "" {
		return s.next.RoundTrip(r) // redirected: not where the secret belongs
	}
	r = r.Clone(r.Context())
	whole := *s.full
	whole.User = nil
	r.URL = &whole
	if user := s.full.User; user != nil {
		password, _ := user.Password()
		r.SetBasicAuth(user.Username(), password)
	}
	return s.next.RoundTrip(r)
}

// publicPart is what of an endpoint may be shown: scheme and host of a URL, or a
// socket's path.
func publicPart(endpoint string) string {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return "an endpoint"
	case u.Host == "":
		return endpoint
	}
	return u.Scheme + "://" + u.Host
}

// quiet takes an endpoint's URL out of an error.
func quiet(err error) error {
	var u *url.Error
	switch {
	case !errors.As(err, &u):
		return err
	case u.Op == "parse":
		return errURL
	}
	return u.Err
}
