package httpx_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

type person struct {
	Name string `json:"name"`
	Born struct {
		Year int `json:"year"`
	} `json:"born"`
}

func TestReadJSONIsStrictAndKeepsContentToItself(t *testing.T) {
	t.Parallel()
	const limit = 400
	for name, tc := range map[string]struct {
		body  string
		kind  fault.Kind // 0: read
		place string     // of the issue; empty: none
	}{
		"good":             {`{"name":"Ada","born":{"year":1815}}`, 0, ""},
		"broken":           {`{"name":"secret"`, fault.Malformed, ""},
		"nothing":          {``, fault.Malformed, ""},
		"two values":       {`{"name":"secret"}{}`, fault.Malformed, ""},
		"member twice":     {`{"name":"secret","name":"secret"}`, fault.Malformed, ""},
		"not UTF-8":        {"{\"name\":\"secret\xff\"}", fault.Malformed, ""},
		"unknown member":   {`{"born":{"day":"secret"}}`, fault.Malformed, "/born/day"},
		"another type":     {`{"born":{"year":"secret"}}`, fault.Malformed, "/born/year"},
		"a place too long": {`{"` + strings.Repeat("a", 130) + `":"secret"}`, fault.Malformed, ""},
		"too large":        {`{"name":"` + strings.Repeat("a", limit) + `"}`, fault.TooLarge, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t, nil)
			var got person
			var err error
			e.POST("/x", func(c *gin.Context) { err = httpx.ReadJSON(c, limit, &got) })
			do(e, "POST", "/x", strings.NewReader(tc.body))
			if tc.kind == 0 {
				if err != nil || got.Name != "Ada" || got.Born.Year != 1815 {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if err == nil || fault.KindOf(err) != tc.kind || strings.Contains(err.Error(), "secret") {
				t.Fatalf("%v", err)
			}
			issues := fault.From(err).Issues
			if (tc.place == "") != (len(issues) == 0) || tc.place != "" && issues[0].Path != tc.place {
				t.Errorf("issues %+v, want at %q", issues, tc.place)
			}
			for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
				if strings.Contains(cause.Error(), "secret") {
					t.Errorf("the cause repeats the content: %v", cause)
				}
			}
		})
	}
}

func TestRespond(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		out    any
		err    error
		status int
		body   string
	}{
		"a value":              {person{Name: "<Ada>"}, nil, http.StatusOK, `{"name":"<Ada>","born":{"year":0}}`},
		"a fault":              {person{Name: "not sent"}, fault.New(fault.Conflict, "why", "For the caller."), http.StatusConflict, "why"},
		"not to be written":    {func() {}, nil, http.StatusInternalServerError, "problem"},
		"an error of our own":  {nil, io.ErrUnexpectedEOF, http.StatusInternalServerError, "problem"},
		"nothing, but allowed": {[]person{}, nil, http.StatusOK, `[]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t, nil)
			e.GET("/x", func(c *gin.Context) { httpx.Respond(c, tc.out, tc.err) })
			w := do(e, "GET", "/x", nil)
			body := w.Body.String()
			if w.Code != tc.status || !strings.Contains(body, tc.body) || strings.Contains(body, "not sent") {
				t.Errorf("%d %s", w.Code, body)
			}
			if tc.status == http.StatusOK && w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("type %q", w.Header().Get("Content-Type"))
			}
		})
	}
}
