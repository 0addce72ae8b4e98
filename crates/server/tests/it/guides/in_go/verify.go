// Verify checks an access token as an API in Go would, by the keys that the issuer publishes, and prints its claims.
//
//	verify JWKS_URI ISSUER AUDIENCE TOKEN
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

func main() {
	claims, err := verify(os.Args[1], jwt.Expected{Issuer: os.Args[2], AnyAudience: jwt.Audience{os.Args[3]}}, os.Args[4])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(claims)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func verify(jwksURI string, expected jwt.Expected, text string) (map[string]any, error) {
	keys, err := keysAt(jwksURI)
	if err != nil {
		return nil, err
	}
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, err
	}
	if kind := token.Headers[0].ExtraHeaders[jose.HeaderType]; kind != "at+jwt" {
		return nil, fmt.Errorf("this is %v, and no access token", kind)
	}
	var registered jwt.Claims
	var all map[string]any
	if err := token.Claims(keys, &registered, &all); err != nil {
		return nil, err
	}
	if registered.Expiry == nil || registered.Subject == "" {
		return nil, fmt.Errorf("exp and sub are required")
	}
	return all, registered.ValidateWithLeeway(expected.WithTime(time.Now()), 0)
}

func keysAt(uri string) (*jose.JSONWebKeySet, error) {
	answer, err := http.Get(uri)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	keys := new(jose.JSONWebKeySet)
	return keys, json.NewDecoder(answer.Body).Decode(keys)
}
