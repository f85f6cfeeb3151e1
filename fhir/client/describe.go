package client

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
)

// Describe names the calls of a client with this base for orchestration.Transport: paths
// have {id} and {version} in the place of values.
func Describe(base string) func(*http.Request) orchestration.Call {
	under := ""
	if u, err := url.Parse(base); err == nil {
		under = strings.TrimRight(u.Path, "/")
	}
	return func(r *http.Request) orchestration.Call {
		return describe(r.Method, strings.Trim(strings.TrimPrefix(r.URL.Path, under), "/"))
	}
}

// operationName is an operation as far as a record shows it.
var operationName = regexp.MustCompile(`^\$[A-Za-z-]{1,63}$`)

// verbs name what is done with a resource.
var verbs = map[string]string{
	http.MethodGet: "read", http.MethodPost: "create", http.MethodPut: "update", http.MethodDelete: "delete",
}

func describe(method, path string) orchestration.Call {
	if path == "" {
		if method == http.MethodGet {
			return orchestration.Call{Name: "further page", Path: "/"}
		}
		return orchestration.Call{Name: "transaction", Path: "/"}
	}
	var template []string
	name, typ := verbs[method], ""
	for n, part := range strings.Split(path, "/") {
		switch {
		case n == 0 && part == "metadata":
			return orchestration.Call{Name: "capabilities", Path: "/metadata"}
		case n == 0 && ValidType(part):
			typ = " " + part
		case part == "_search":
			name = "search"
		case part == "_history":
			name = "history"
		case operationName.MatchString(part):
			name = part
		case n > 0 && template[n-1] == "_history":
			name, part = "read version", "{version}"
		default:
			part = "{id}"
		}
		template = append(template, part)
	}
	return orchestration.Call{Name: name + typ, Path: "/" + strings.Join(template, "/")}
}
