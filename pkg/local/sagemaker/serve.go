package sagemaker

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// serverDigest identifies what a server serves: file names and contents, image and environment.
func (c Config) serverDigest(ctx context.Context, d types.ContainerDefinition) (string, error) {
	key, err := c.keyFolder(d.ModelDataSource.S3DataSource.S3Uri)
	if err != nil {
		return "", err
	}
	sum, n := sha256.New(), 0
	err = c.each(ctx, key, func(info object.Info) error {
		n++
		fmt.Fprintf(sum, "%q %q\n", strings.TrimPrefix(info.Key, key), cmp.Or(info.SHA256, info.Version, info.Key))
		return nil
	})
	if err == nil && n == 0 {
		err = invalid("Could not find model data at %s.", value(d.ModelDataSource.S3DataSource.S3Uri))
	}
	sum.Write(mustJSON([]any{d.Image, d.Environment}))
	return hex.EncodeToString(sum.Sum(nil))[:32], err
}

// load brings the model's files, once.
func (v *server) load(ctx context.Context) error {
	v.reap(v.s.cfg.After, serveGrace)
	for _, dir := range []string{"model", "output"} {
		if err := os.MkdirAll(v.ml(dir), 0o755); err != nil {
			return err
		}
	}
	key, err := v.s.cfg.keyFolder(v.container.ModelDataSource.S3DataSource.S3Uri)
	if err != nil {
		return err
	}
	_, err = v.s.cfg.prefix(ctx, key, v.ml("model"))
	return err
}

// once starts the process, waits until it is healthy and then until it ends or is not needed.
func (v *server) once() (*process, error) {
	_ = os.Remove(v.ml("output", "serve.port"))
	env := map[string]string{}
	for k, val := range v.container.Environment {
		env[k] = val
	}
	env["SERVE_HOST"], env["SERVE_PORT"] = "127.0.0.1", "0"
	p, err := launch(v.layout, v.command(v.s.cfg, v.s.cfg.Serve), v.environment(v.s.cfg, env))
	if err != nil {
		return p, err
	}
	v.s.mu.Lock()
	v.proc = p
	v.s.mu.Unlock()
	port, err := v.awaitHealth(p)
	if err != nil || port == 0 {
		return p, err
	}
	v.become(up, "", port)
	select {
	case <-p.exited:
		return p, v.died("ended")
	case <-v.unused:
	case <-v.s.closing:
	}
	return p, nil
}

// awaitHealth waits for the port file and for /ping to answer 200. Port 0 means not needed any more.
func (v *server) awaitHealth(p *process) (int, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := v.s.cfg.After(v.limit)
	for {
		select {
		case <-p.exited:
			return 0, v.died("ended before /ping answered")
		case <-limit:
			p.stop(v.s.cfg.After, serveGrace)
			return 0, v.died(fmt.Sprintf("did not answer /ping within %s", v.limit))
		case <-v.unused:
			return 0, nil
		case <-v.s.closing:
			return 0, nil
		case <-tick.C:
			if port := v.readPort(); port != 0 && ping(port) {
				return port, nil
			}
		}
	}
}

func (v *server) died(how string) error {
	code, _ := v.status()
	why := readTail(v.ml("output", "failure"), 1024)
	if why == "" {
		why = readTail(v.log(), 1024)
	}
	return errs.New(errs.Unhealthy, "the model server %s (exit code: %d): %s", how, code, why)
}

func (v *server) readPort() int {
	b, err := os.ReadFile(v.ml("output", "serve.port"))
	if err != nil {
		return 0
	}
	port, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return port
}

func ping(port int) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/ping", port), nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
