package command

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/frontend"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local"
	"github.com/perennial-llm/perennial/pkg/local/demo"
)

func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
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
func (h *host) check(version string, problems *os.File) error {
	for flag, path := range map[string]*string{"--training": &h.Code, "--python": &h.Python, "--data": &h.Data} {
		abs, err := filepath.Abs(*path)
		if err != nil {
			return errs.New(errs.Invalid, "%w", err).At(flag)
		}
		*path = abs
		if _, err := os.Stat(abs); err != nil && flag != "--data" {
			return errs.New(errs.Invalid, "%s is not there", abs).At(flag).Mend("run this from the project's folder after: make python")
		}
	}
	level := slog.LevelWarn
	if h.verbose {
		level = slog.LevelDebug
	}
	h.Version, h.Web = version, assets()
	h.Logger = slog.New(slog.NewJSONHandler(problems, &slog.HandlerOptions{Level: level}))
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
	cmd := &cobra.Command{Use: "up", Short: "start the platform on this machine", Args: cobra.NoArgs,
		Long: "Starts everything in one process on one port, over one data folder. It can be stopped or killed\n" +
			"at any time: started again, it goes on where it was. The first start prints a one-time password."}
	h.flags(cmd, ".cache/data", 7070)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := h.check(version, os.Stderr); err != nil {
			return err
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", h.port))
		if err != nil {
			return errs.New(errs.Invalid, "port %d: %w", h.port, err).Mend("choose another with --port")
		}
		p, err := local.Open(cmd.Context(), h.Options)
		if err != nil {
			l.Close()
			return err
		}
		out := cmd.OutOrStdout()
		fmt.Fprintf(out, "Perennial %s on http://%s, data in %s\n", version, l.Addr(), h.Data)
		if p.Password != "" {
			fmt.Fprintf(out, "first start: sign in as admin with the one-time password %s\n", p.Password)
		}
		if h.Web == nil {
			fmt.Fprintln(out, "this build has no web app inside: make build makes one that has")
		}
		err = p.Serve(cmd.Context(), l)
		return cmp.Or(err, p.Close(context.WithoutCancel(cmd.Context())))
	}
	return cmd
}

func demonstrate(version string) *cobra.Command {
	var h host
	var o demo.Options
	cmd := &cobra.Command{Use: "demo", Short: "play the whole loop with a real small model", Args: cobra.NoArgs,
		Long: "Plays the whole loop: data with faults arrives, a model learns it, is judged, approved, released by\n" +
			"canary, asked again; then poisoned data, break-glass, automatic rollback, and a rollback drill.\n\n" +
			"DEMO_MODEL=tiny uses a tiny model (seconds), smol SmolLM2-135M (minutes). DEMO_YES=1 approves by\n" +
			"itself. DEMO_COMPARE=1 trains without protection too and shows both."}
	h.flags(cmd, "", 0)
	f := cmd.Flags()
	f.StringVar(&o.Model, "model-size", cmp.Or(os.Getenv("DEMO_MODEL"), "smol"), "smol or tiny")
	f.BoolVar(&o.Yes, "yes", os.Getenv("DEMO_YES") != "", "approve by itself, as a second user")
	f.BoolVar(&o.Compare, "compare", os.Getenv("DEMO_COMPARE") != "", "train without protection too")
	f.StringVar(&o.Until, "until", "", "stop after this part of the story, such as base or release")
	f.BoolVar(&o.Stay, "stay", false, "go on serving afterwards, until interrupted")
	o.Secret = os.Getenv("DEMO_PASSWORD")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		h.Data = cmp.Or(h.Data, filepath.Join(".cache", "demo-"+o.Model))
		if err := h.check(version, os.Stderr); err != nil {
			return err
		}
		if o.Model != "smol" && o.Model != "tiny" {
			return errs.New(errs.Invalid, "no demo model %q", o.Model).At("DEMO_MODEL").Mend("use smol or tiny")
		}
		o.Options, o.Port, o.Out = h.Options, h.port, cmd.OutOrStdout()
		o.Models = filepath.Join(filepath.Dir(h.Data), "models")
		return demo.Run(cmd.Context(), o)
	}
	return cmd
}
