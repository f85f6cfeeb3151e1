package server_test
import ("testing";"io";"net/http";"time";"strings";"github.com/trustedparty/ddcc-gateway/fhir/server")
func TestTmpUp(t *testing.T){
	s := open(t, func(o *server.Options) { o.Clients, o.MaxBody, o.PerSecond, o.Burst = []string{friend}, 4096, 1000, 1000 })
	base, client := listener(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request){ st:=time.Now(); t.Log("in",r.ContentLength); s.Handler().ServeHTTP(w,r); t.Log("out",r.ContentLength,time.Since(st)) }))
	c := client(friend)
	for range 5 { r,w:=io.Pipe(); go func(){ req,_:=http.NewRequest("POST",base+"/fhir/Patient",r); req.Header.Set("Content-Type","application/fhir+json"); resp,err:=c.Do(req); t.Log("resp",resp!=nil&&err==nil && resp.StatusCode>0, err); if err==nil {t.Log(resp.StatusCode)} }(); go func(){ n,err:=w.Write([]byte("{")); t.Log("wrote",n,err) }() }
	time.Sleep(1500*time.Millisecond)
	resp,err:=c.Post(base+"/fhir/Patient","application/fhir+json",strings.NewReader(ada)); t.Log(err); t.Log(resp.StatusCode)
	time.Sleep(300*time.Millisecond)
}
