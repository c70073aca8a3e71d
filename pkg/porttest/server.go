package porttest

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// server is a fake of AWS that runs beside the tests of one package, started by the first that
// needs it. It ends with the test process, however that ends, because it watches a pipe from it.
type server struct {
	name    string
	marker  string   // file under .cache that shows it is installed
	command []string // PORT is replaced
	once    sync.Once
	url     string
	err     error
	pipe    *os.File // kept open until the process ends
}

// watch runs a command until standard input ends.
const watch = `"$@" </dev/null >&2 & pid=$!; trap 'kill $pid 2>/dev/null' EXIT; cat >/dev/null`

var dynamoLocal = &server{name: "DynamoDB Local", marker: "dynamodb-local/pom.xml", command: []string{
	"java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.library.path=dynamodb-local/lib", "-cp", "dynamodb-local/lib/*",
	"software.amazon.dynamodb.services.local.main.ServerRunner", "-inMemory", "-sharedDb", "-disableTelemetry", "-port", "PORT",
}}

var motoServer = &server{name: "moto", marker: "moto/lock.txt", command: []string{"moto/bin/moto_server", "-H", "127.0.0.1", "-p", "PORT"}}

// DynamoLocal gives the address of a DynamoDB Local that is shared by the tests of a package.
func DynamoLocal(t testing.TB) string { return dynamoLocal.address(t) }

// Moto gives the address of a moto server that is shared by the tests of a package.
func Moto(t testing.TB) string { return motoServer.address(t) }

func (s *server) address(t testing.TB) string {
	t.Helper()
	s.once.Do(s.start)
	if s.err != nil {
		t.Fatalf("%s: %v", s.name, s.err)
	}
	return s.url
}

func cacheFolder() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", ".cache")
}

func (s *server) start() {
	if _, err := os.Stat(filepath.Join(cacheFolder(), s.marker)); err != nil {
		s.err = fmt.Errorf("not installed: run `make deps`")
		return
	}
	port, err := freePort()
	if err != nil {
		s.err = err
		return
	}
	args := []string{"-c", watch, "sh"}
	for _, a := range s.command {
		if a == "PORT" {
			a = fmt.Sprint(port)
		}
		args = append(args, a)
	}
	var log bytes.Buffer
	if s.err = s.run(exec.Command("sh", args...), &log); s.err != nil {
		return
	}
	s.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	if !answers(s.url) {
		s.err = fmt.Errorf("did not start:\n%s", log.String())
	}
}

func (s *server) run(cmd *exec.Cmd, log *bytes.Buffer) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	s.pipe = w
	cmd.Dir, cmd.Stdin, cmd.Stderr = cacheFolder(), r, log
	if err := cmd.Start(); err != nil {
		return err
	}
	return r.Close()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// answers polls until the server answers anything, at most three minutes: a busy machine takes more than one.
func answers(url string) bool {
	client := http.Client{Timeout: 5 * time.Second}
	for range 1800 {
		if resp, err := client.Get(url); err == nil {
			return resp.Body.Close() == nil
		}
		<-time.After(100 * time.Millisecond)
	}
	return false
}
