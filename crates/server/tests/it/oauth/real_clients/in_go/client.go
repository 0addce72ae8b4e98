// Client is an app on golang.org/x/oauth2 and go-oidc: it discovers, exchanges a code, verifies the id_token, asks who the user is, refreshes, and
// gets a token of its own where it has a secret. Then it does what must fail. It prints what came of it.
//
//	client FACTS
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type facts struct {
	Issuer      string   `json:"issuer"`
	ClientID    string   `json:"client_id"`
	Secret      string   `json:"secret"`
	RedirectURI string   `json:"redirect_uri"`
	Verifier    string   `json:"verifier"`
	Codes       []string `json:"codes"`
	Other       string   `json:"other"`
}

func main() {
	var told facts
	err := json.Unmarshal([]byte(os.Args[1]), &told)
	if err == nil {
		var done map[string]any
		if done, err = told.goThrough(context.Background()); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(done)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (told facts) goThrough(ctx context.Context) (map[string]any, error) {
	provider, err := oidc.NewProvider(ctx, told.Issuer)
	if err != nil {
		return nil, err
	}
	config := oauth2.Config{
		ClientID:     told.ClientID,
		ClientSecret: told.Secret,
		// How the client shows its secret is nobody's say: the library tries.
		Endpoint:    provider.Endpoint(),
		RedirectURL: told.RedirectURI,
		Scopes:      []string{oidc.ScopeOpenID, "email"},
	}
	pkce := oauth2.VerifierOption(told.Verifier)
	done := map[string]any{
		"authorize": config.AuthCodeURL("a state", oauth2.S256ChallengeOption(told.Verifier), oidc.Nonce("n-1")),
	}

	token, err := config.Exchange(ctx, told.Codes[0], pkce)
	if err != nil {
		return nil, err
	}
	rawIDToken, _ := token.Extra("id_token").(string)
	idToken, err := provider.Verifier(&oidc.Config{ClientID: told.ClientID}).Verify(ctx, rawIDToken)
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	if err := idToken.Claims(&claims); err != nil {
		return nil, err
	}
	done["claims"] = claims
	userinfo, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, err
	}
	done["userinfo"] = userinfo

	late := *token
	late.Expiry = time.Now().Add(-time.Minute)
	source := config.TokenSource(ctx, &late)
	refreshed, err := source.Token()
	if err != nil {
		return nil, err
	}
	done["token"], done["refreshed"] = token, refreshed
	if done["me"], err = status(oauth2.NewClient(ctx, source), told.Issuer+"/v1/me"); err != nil {
		return nil, err
	}
	if told.Secret != "" {
		own := clientcredentials.Config{
			ClientID: told.ClientID, ClientSecret: told.Secret, TokenURL: provider.Endpoint().TokenURL, Scopes: []string{"read"},
		}
		got, err := own.Token(ctx)
		if err != nil {
			return nil, err
		}
		done["own"] = got.Extra("scope")
	}

	refusals := map[string]string{}
	for name, attempt := range map[string]struct{ client, token string }{
		"of another client": {told.Other, rawIDToken},
		"an access token":   {told.ClientID, token.AccessToken},
		"turned":            {told.ClientID, turned(rawIDToken)},
	} {
		_, err := provider.Verifier(&oidc.Config{ClientID: attempt.client}).Verify(ctx, attempt.token)
		refusals[name] = fmt.Sprint(err)
	}
	_, err = oidc.NewProvider(ctx, told.Issuer+"/")
	refusals["another issuer"] = fmt.Sprint(err)
	done["refusals"] = refusals
	_, err = config.Exchange(ctx, told.Codes[1], oauth2.VerifierOption(oauth2.GenerateVerifier()))
	done["wrong_verifier"] = code(err)
	_, err = config.Exchange(ctx, told.Codes[0], pkce)
	done["replayed"] = code(err)
	return done, nil
}

// Code is the server's word for what is wrong.
func code(err error) string {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return refused.ErrorCode
	}
	return fmt.Sprint(err)
}

func status(client *http.Client, url string) (int, error) {
	answer, err := client.Get(url)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// Turned is a token of which one bit in the middle of its signature is another.
func turned(token string) string {
	text := []byte(token)
	middle := len(text) - 20
	if text[middle] == 'A' {
		text[middle] = 'B'
	} else {
		text[middle] = 'A'
	}
	return string(text)
}
