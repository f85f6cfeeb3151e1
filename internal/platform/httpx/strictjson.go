package httpx

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// maxPlace bounds what an answer repeats of a body, in bytes: where it is wrong.
const maxPlace = 128

var errJSON = fault.New(fault.Malformed, "malformed-json", "The body is not the JSON this route takes.")

// ReadJSON reads the whole body, at most limit bytes, as strict JSON: valid UTF-8, no
// duplicate and no unknown members. Errors: those of ReadBody; fault.Malformed, which says
// where decoding failed but not what stood there, because the content may be personal.
func ReadJSON(c *gin.Context, limit int64, into any) error {
	body, err := ReadBody(c, limit)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into, json.RejectUnknownMembers(true)); err != nil {
		return errJSON.With(place(err)...)
	}
	return nil
}

func place(err error) []fault.Issue {
	var s *json.SemanticError
	if !errors.As(err, &s) || len(s.JSONPointer) > maxPlace {
		return nil
	}
	return []fault.Issue{{
		Path: string(s.JSONPointer), Rule: "json", Detail: "Not a member or a value this route takes.",
		Fix: "Compare the body with the description of the route.",
	}}
}

// Respond answers 200 with out as JSON, or with the problem of err.
func Respond(c *gin.Context, out any, err error) {
	if err != nil {
		Fail(c, err)
		return
	}
	body, err := json.Marshal(out)
	if err != nil {
		Fail(c, err)
		return
	}
	c.Data(http.StatusOK, "application/json", body)
}
