package httpapi

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

// The media types of wallet files.
const (
	mediaApple  = "application/vnd.apple.pkpass"
	mediaGoogle = "application/jwt"
)

var errConsent = fault.New(fault.Rule, "wallet-consent", "Google's wallet gets the holder's name and certificate; that needs consent.").With(fault.Issue{
	Path: "consent", Rule: "wallet-consent", Detail: "The request does not say that the holder has consented.", Fix: "Ask the holder, then send consent=true.",
})

// wallet is $wallet (ours): a certificate as a file for a phone's wallet. Google's is never
// given by a wildcard, because opening it hands personal data to Google.
func (h handler) wallet(c *gin.Context) {
	key, err := id(c)
	google := strings.Contains(c.GetHeader("Accept"), mediaGoogle)
	switch {
	case err == nil && !google && !accepts(c, mediaApple):
		err = errAccept
	case err == nil && google && c.Query("consent") != "true":
		err = errConsent
	}
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	var body []byte
	media := mediaApple
	if google {
		var jwt string
		media = mediaGoogle
		jwt, err = h.Reader.GoogleJWT(c.Request.Context(), issuer(c).Issuer(), key, languageOf(c))
		body = []byte(jwt)
	} else {
		body, err = h.Reader.ApplePass(c.Request.Context(), issuer(c).Issuer(), key, languageOf(c), c.Query("birthDate") == "true")
	}
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Header("Cache-Control", "private, no-store")
	c.Header("Vary", "Accept, Accept-Language")
	c.Data(http.StatusOK, media, body)
}
