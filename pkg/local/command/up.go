package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/frontend"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local"
	"github.com/perennial-llm/perennial/pkg/local/demo"
)

// interruptible gives a context that Ctrl-C ends; a second Ctrl-C ends the process as it stands.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// host are the flags that both up and demo have.
type host struct {
	local.Options
	port    int
	verbose bool
}

func (h *host) flags(cmd *cobra.Command, data string, port int) {
	f := cmd.Flags()
	f.StringVar(&h.Data, "data", data, "folder for everything that is kept")
	f.IntVar(&h.port, "port", port, "port to listen on (0 = any free one)")
	f.StringVar(&h.Code, "training", cmp.Or(os.Getenv("PERENNIAL_TRAINING"), folder("training", beside("../training"))), "folder with the training code")
	f.StringVar(&h.Python, "python", cmp.Or(os.Getenv("PERENNIAL_PYTHON"), folder(".cache/venv/bin/python", beside("../.cache/venv/bin/python"))), "Python interpreter with its packages")
	f.BoolVarP(&h.verbose, "verbose", "v", false, "log what happens to standard error")
}

// beside gives a path relative to the binary.
func beside(rel string) string {
	exe, err := os.Executable()
	if err != nil {
		return rel
	}
	return filepath.Join(filepath.Dir(exe), rel)
}

// check completes the options and says early what is missing.
func (h *host) check(ctx context.Context, version string, problems *os.File) error {
	if err := h.absolute(); err != nil {
		return err
	}
	if err := pythonWorks(ctx, h.Python); err != nil {
		return err
	}
	level := slog.LevelWarn
	if h.verbose {
		level = slog.LevelDebug
	}
	h.Version, h.Web = version, assets()
	h.Logger = slog.New(slog.NewJSONHandler(problems, &slog.HandlerOptions{Level: level}))
	return nil
}

// absolute makes paths independent of the working folder and refuses those that lead nowhere.
func (h *host) absolute() (err error) {
	for _, o := range []struct {
		flag string
		path *string
	}{{"--data", &h.Data}, {"--training", &h.Code}, {"--python", &h.Python}} {
		if *o.path, err = filepath.Abs(*o.path); err != nil {
			return errs.New(errs.Invalid, "%w", err).At(o.flag)
		}
		if _, err := os.Stat(*o.path); err != nil && o.flag != "--data" {
			return errs.New(errs.Invalid, "%s is not there", *o.path).At(o.flag).Mend("run this from the project's folder after: make python")
		}
	}
	return nil
}

// lacking is a Python program that prints which packages of training it cannot find.
const lacking = `import importlib.util as u
print(*(m for m in ("torch", "transformers", "peft", "safetensors") if u.find_spec(m) is None))`

// pythonWorks refuses an interpreter that could not train: better now than when the first data has arrived.
func pythonWorks(ctx context.Context, python string) error {
	out, err := exec.CommandContext(ctx, python, "-c", lacking).Output()
	if err != nil {
		return errs.New(errs.Invalid, "%s does not run: %w", python, err).At("--python").Mend("make the environment with: make python")
	}
	if missing := strings.TrimSpace(string(out)); missing != "" {
		return errs.New(errs.Invalid, "%s lacks %s", python, missing).At("--python").Mend("make the environment with: make python")
	}
	return nil
}

func assets() fs.FS {
	if web, ok := frontend.Assets(); ok {
		return web
	}
	return nil
}

func up(version string) *cobra.Command {
	var h host
	cmd := &cobra.Command{Use: "up", Short: "start the platform on this machine", Args: alone,
		Long: "Starts everything in one process on one port, over one data folder. It can be stopped or killed\n" +
			"at any time: started again, it goes on where it was. The first start prints a one-time password."}
	h.flags(cmd, ".cache/data", 7070)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := h.check(cmd.Context(), version, os.Stderr); err != nil {
			return err
		}
		l, err := local.Listen(h.port)
		if err != nil {
			return err
		}
		p, err := local.Open(cmd.Context(), h.Options)
		if err != nil {
			l.Close()
			return err
		}
		if err := h.greet(cmd, "http://"+l.Addr().String(), p.Password); err != nil {
			l.Close()
			return errors.Join(err, p.Close(cmd.Context()))
		}
		err = p.Serve(cmd.Context(), l)
		return cmp.Or(err, p.Close(context.WithoutCancel(cmd.Context())))
	}
	return cmd
}

// greet tells where the platform is, and on the first start how to get in.
func (h *host) greet(cmd *cobra.Command, url, password string) error {
	out := cmd.OutOrStdout()
	if wantsJSON(cmd) {
		return json.NewEncoder(out).Encode(struct {
			URL      string `json:"url"`
			Data     string `json:"data"`
			Version  string `json:"version"`
			Password string `json:"oneTimePassword,omitempty"`
		}{url, h.Data, h.Version, password})
	}
	fmt.Fprintf(out, "Perennial %s on %s, data in %s\n", h.Version, url, h.Data)
	if password != "" {
		fmt.Fprintf(out, "first start: sign in as admin with the one-time password %s\n", password)
	}
	if h.Web == nil {
		fmt.Fprintln(out, "this build has no web app inside: make build makes one that has")
	}
	return nil
}

// wanted tells whether a variable of the environment switches something on.
func wanted(name string) bool {
	return !slices.Contains([]string{"", "0", "false", "no"}, os.Getenv(name))
}

func demonstrate(version string) *cobra.Command {
	var h host
	var o demo.Options
	cmd := &cobra.Command{Use: "demo", Short: "play the whole loop with a real small model", Args: alone,
		Long: "Plays the whole loop: data with faults arrives, a model learns it, is judged, approved, released by\n" +
			"canary, asked again; then poisoned data, break-glass, automatic rollback, and a rollback drill.\n\n" +
			"DEMO_MODEL=tiny uses a tiny model (seconds), smol SmolLM2-135M (minutes). DEMO_YES=1 approves by\n" +
			"itself. DEMO_COMPARE=1 trains without protection too and shows both."}
	h.flags(cmd, "", 0)
	f := cmd.Flags()
	f.StringVar(&o.Model, "model-size", cmp.Or(os.Getenv("DEMO_MODEL"), "smol"), "smol or tiny")
	f.BoolVar(&o.Yes, "yes", wanted("DEMO_YES"), "approve by itself, as a second user")
	f.BoolVar(&o.Compare, "compare", wanted("DEMO_COMPARE"), "train without protection too")
	f.StringVar(&o.Until, "until", "", "stop after this part of the story, such as base or release")
	f.BoolVar(&o.Stay, "stay", false, "go on serving afterwards, until interrupted")
	o.Secret = os.Getenv("DEMO_PASSWORD")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		h.Data = cmp.Or(h.Data, filepath.Join(".cache", "demo-"+o.Model))
		if o.Model != "smol" && o.Model != "tiny" {
			return errs.New(errs.Invalid, "no demo model %q", o.Model).At("DEMO_MODEL").Mend("use smol or tiny")
		}
		if err := h.check(cmd.Context(), version, os.Stderr); err != nil {
			return err
		}
		o.Options, o.Port, o.In, o.Out = h.Options, h.port, terminal(os.Stdin), cmd.OutOrStdout()
		o.Models = filepath.Join(filepath.Dir(h.Data), "models")
		return demo.Run(cmd.Context(), o)
	}
	return cmd
}
