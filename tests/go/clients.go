// Stock clients of OAuth in Go. Each line on standard input is JSON: what is to be done, and with what.
// Each is answered by a line of JSON; between the lines a person answers on the pages of the server.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type asked struct {
	Step, Issuer, ID, Secret, Callback, Location, Resource string
	Scopes                                                 []string
}

type told map[string]any

// What a login keeps while a person is at the pages.
var (
	provider               *oidc.Provider
	config                 oauth2.Config
	verifier, state, nonce string
	device                 *oauth2.DeviceAuthResponse
)

var steps = map[string]func(context.Context, asked) (told, error){
	"begins": begins, "ends": ends, "byItself": byItself, "deviceBegins": deviceBegins, "deviceEnds": deviceEnds,
}

func discovered(ctx context.Context, given asked) (oauth2.Config, error) {
	found, err := oidc.NewProvider(ctx, given.Issuer)
	if err != nil {
		return oauth2.Config{}, err
	}
	provider = found
	return oauth2.Config{
		ClientID: given.ID, ClientSecret: given.Secret, Endpoint: found.Endpoint(), RedirectURL: given.Callback, Scopes: given.Scopes,
	}, nil
}

// Discovery, and a request with a challenge, a state and a nonce.
func begins(ctx context.Context, given asked) (told, error) {
	found, err := discovered(ctx, given)
	if err != nil {
		return nil, err
	}
	config = found
	verifier, state, nonce = oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	return told{"url": config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oidc.Nonce(nonce))}, nil
}

// The code, the ID token with its signature, audience, times, nonce and at_hash, userinfo, and a refresh.
func ends(ctx context.Context, given asked) (told, error) {
	location, err := url.Parse(given.Location)
	if err != nil {
		return nil, err
	}
	if location.Query().Get("state") != state {
		return nil, errors.New("another state")
	}
	token, err := config.Exchange(ctx, location.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	// A library that looked at nothing would take it for anybody's.
	if _, err := provider.Verifier(&oidc.Config{ClientID: "another"}).Verify(ctx, raw); err == nil {
		return nil, errors.New("an ID token for another client was taken")
	}
	if id.Nonce != nonce {
		return nil, errors.New("another nonce")
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil {
		return nil, err
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, err
	}
	// The library renews what it takes for expired.
	old := &oauth2.Token{RefreshToken: token.RefreshToken, Expiry: time.Unix(1, 0)}
	renewed, err := config.TokenSource(ctx, old).Token()
	if err != nil {
		return nil, err
	}
	said := told{"sub": id.Subject, "user": info.Subject, "email": info.Email, "verified": info.EmailVerified}
	said["first"], said["renewed"], said["type"] = token.AccessToken, renewed.AccessToken, renewed.Type()
	return said, nil
}

// Client credentials, and a call of an API with what they got.
func byItself(ctx context.Context, given asked) (told, error) {
	config := clientcredentials.Config{
		ClientID: given.ID, ClientSecret: given.Secret, TokenURL: given.Issuer + "/oauth/token", Scopes: given.Scopes,
	}
	answer, err := config.Client(ctx).Get(given.Resource)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return told{"status": answer.StatusCode}, nil
}

func deviceBegins(ctx context.Context, given asked) (told, error) {
	found, err := discovered(ctx, given)
	if err != nil {
		return nil, err
	}
	config = found
	device, err = config.DeviceAuth(ctx)
	if err != nil {
		return nil, err
	}
	return told{"code": device.UserCode}, nil
}

func deviceEnds(ctx context.Context, _ asked) (told, error) {
	device.Interval = 1
	token, err := config.DeviceAccessToken(ctx, device)
	if err != nil {
		return nil, err
	}
	return told{"token": token.AccessToken}, nil
}

func main() {
	// Each server is on this machine, whatever proxies the environment names.
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}}
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, client)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var given asked
		err := json.Unmarshal(lines.Bytes(), &given)
		var said told
		if err == nil {
			said, err = steps[given.Step](ctx, given)
		}
		if err != nil {
			said = told{"failed": fmt.Sprintf("%s: %v", given.Step, err)}
		}
		line, _ := json.Marshal(said)
		fmt.Println(string(line))
	}
}
