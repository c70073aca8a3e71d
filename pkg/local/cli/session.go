package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
)

func (a *app) login() *cobra.Command {
	var user string
	cmd := &cobra.Command{Use: "login", Short: "sign in and remember it", Args: exactly(),
		Long: "Signs in to a platform and remembers the session. The password is read from PERENNIAL_PASSWORD or standard input."}
	cmd.Flags().StringVarP(&user, "user", "u", "admin", "user name")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c := a.client()
		password, err := readPassword(cmd, bufio.NewReader(cmd.InOrStdin()), "password: ", "PERENNIAL_PASSWORD")
		if err != nil {
			return err
		}
		c.Key, c.Session = "", ""
		if err := c.SignIn(cmd.Context(), user, password); err != nil {
			return err
		}
		if err := (saved{URL: c.URL, Session: c.Session}).store(); err != nil {
			return fmt.Errorf("remember login: %w", err)
		}
		in := signedIn{URL: c.URL, User: user}
		if err := c.Get(cmd.Context(), "/v1/me", &in); err != nil {
			return err
		}
		return a.show(cmd, in, in.tell)
	}
	return cmd
}

// signedIn is what a sign-in led to.
type signedIn struct {
	URL        string `json:"url"`
	User       string `json:"user"`
	MustChange bool   `json:"mustChangePassword"`
}

func (in signedIn) tell(w io.Writer) {
	fmt.Fprintf(w, "signed in to %s as %s\n", in.URL, in.User)
	if in.MustChange {
		fmt.Fprintln(w, "this password works only once: choose your own with perennial passwd")
	}
}

// passwd changes the own password; other sessions end, and this one is remembered under its new name.
func (a *app) passwd() *cobra.Command {
	return &cobra.Command{Use: "passwd", Short: "change your password", Args: exactly(),
		Long: "Changes your password. The old one is read from PERENNIAL_PASSWORD or standard input, the new one from\nPERENNIAL_NEW_PASSWORD or the line after it.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, in := a.client(), bufio.NewReader(cmd.InOrStdin())
			old, err := readPassword(cmd, in, "old password: ", "PERENNIAL_PASSWORD")
			if err != nil {
				return err
			}
			fresh, err := readPassword(cmd, in, "new password: ", "PERENNIAL_NEW_PASSWORD")
			if err != nil {
				return err
			}
			if err := c.ChangePassword(cmd.Context(), old, fresh); err != nil {
				return err
			}
			if err := (saved{URL: c.URL, Session: c.Session}).store(); err != nil {
				return fmt.Errorf("remember login: %w", err)
			}
			return a.show(cmd, map[string]bool{"changed": true}, func(w io.Writer) { fmt.Fprintln(w, "changed; other sessions have ended") })
		}}
}

// readPassword takes a password from the environment, or from a line that a terminal does not show.
func readPassword(cmd *cobra.Command, in *bufio.Reader, prompt, variable string) (string, error) {
	if p := os.Getenv(variable); p != "" {
		return p, nil
	}
	fmt.Fprint(cmd.ErrOrStderr(), prompt)
	if f, ok := cmd.InOrStdin().(interface{ Fd() uintptr }); ok && isatty.IsTerminal(f.Fd()) {
		again := quietly(f.Fd())
		defer fmt.Fprintln(cmd.ErrOrStderr())
		defer again()
	}
	line, err := readLine(cmd.Context(), in)
	if cmd.Context().Err() != nil {
		return "", err
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errs.New(errs.Invalid, "no password given: %v", err).Mend("type it, or set %s", variable)
	}
	return line, nil
}

// readLine reads a line unless the context ends first, so that Ctrl-C leaves the prompt.
func readLine(ctx context.Context, in *bufio.Reader) (line string, err error) {
	typed := make(chan struct{})
	var text string
	var failed error
	go func() {
		text, failed = in.ReadString('\n')
		close(typed)
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-typed:
		return text, failed
	}
}

func (a *app) logout() *cobra.Command {
	return &cobra.Command{Use: "logout", Short: "sign out", Args: exactly(), RunE: func(cmd *cobra.Command, _ []string) error {
		c := a.client()
		if resp, err := c.Do(cmd.Context(), http.MethodDelete, "/v1/session", nil); err == nil {
			resp.Body.Close()
		}
		if err := (saved{URL: c.URL}).store(); err != nil {
			return fmt.Errorf("forget login: %w", err)
		}
		return a.show(cmd, map[string]string{"signedOutOf": c.URL}, func(w io.Writer) { fmt.Fprintf(w, "signed out of %s\n", c.URL) })
	}}
}

type user struct {
	ID       string   `json:"id"`
	Name     string   `json:"login"`
	Roles    []string `json:"roles"`
	Disabled bool     `json:"disabled"`
}

func (a *app) users() *cobra.Command {
	cmd := &cobra.Command{Use: "users", Short: "list users", Args: exactly(), RunE: func(cmd *cobra.Command, _ []string) error {
		var us list[user]
		if err := a.client().Get(cmd.Context(), "/v1/users", &us); err != nil {
			return err
		}
		return a.show(cmd, us, func(w io.Writer) {
			var rows [][]string
			for _, u := range us.Items {
				rows = append(rows, []string{u.Name, strings.Join(u.Roles, ","), u.ID})
			}
			grid(w, "USER ROLES ID", rows)
		})
	}}
	cmd.AddCommand(a.usersAdd())
	return cmd
}

func (a *app) usersAdd() *cobra.Command {
	return &cobra.Command{Use: "add NAME ROLE[,ROLE…]", Short: "add a user; its password is printed once", Args: exactly("NAME", "ROLES"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := map[string]any{"login": args[0], "roles": strings.Split(args[1], ",")}
			if p := os.Getenv("PERENNIAL_NEW_PASSWORD"); p != "" {
				in["password"] = p
			}
			var out struct {
				User     user   `json:"user"`
				Password string `json:"oneTimePassword"`
			}
			if err := a.client().Post(cmd.Context(), "/v1/users", in, &out); err != nil {
				return err
			}
			return a.show(cmd, out, func(w io.Writer) {
				fmt.Fprintf(w, "added %s\n", out.User.Name)
				if out.Password != "" {
					fmt.Fprintf(w, "one-time password (shown this once): %s\n", out.Password)
				}
			})
		}}
}

func (a *app) keys() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "API keys for systems and for the gateway"}
	var scopes string
	add := &cobra.Command{Use: "add NAME", Short: "make a key; it is printed once", Args: exactly("NAME")}
	add.Flags().StringVar(&scopes, "scopes", "gateway:invoke", "what the key may do, separated by commas; at most what you may")
	add.RunE = func(cmd *cobra.Command, args []string) error {
		var out struct {
			Token string `json:"token"`
		}
		if err := a.client().Post(cmd.Context(), "/v1/keys", map[string]any{"name": args[0], "scopes": strings.Split(scopes, ",")}, &out); err != nil {
			return err
		}
		return a.show(cmd, out, func(w io.Writer) { fmt.Fprintln(w, out.Token) })
	}
	return group(cmd, add)
}

func (a *app) deadLetters() *cobra.Command {
	cmd := &cobra.Command{Use: "dead-letters", Short: "events that the platform could not act on"}
	all := &cobra.Command{Use: "list", Short: "list them, oldest first", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listDeadLetters(cmd) }}
	replay := &cobra.Command{Use: "replay NUMBER", Short: "act on an event once more", Args: exactly("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || n < 1 {
				return errs.New(errs.Invalid, "%q is not the number of a dead letter", args[0]).Mend("see: perennial dead-letters list")
			}
			if err := a.client().Post(cmd.Context(), fmt.Sprintf("/v1/dead-letters/%d/replay", n), nil, nil); err != nil {
				return err
			}
			return a.show(cmd, map[string]int64{"replayed": n}, func(w io.Writer) { fmt.Fprintf(w, "event %d was acted on\n", n) })
		}}
	return group(cmd, all, replay)
}

func (a *app) listDeadLetters(cmd *cobra.Command) error {
	var out list[audit.DeadLetter]
	if err := a.client().Get(cmd.Context(), "/v1/dead-letters", &out); err != nil {
		return err
	}
	return a.show(cmd, out, func(w io.Writer) {
		var rows [][]string
		for _, l := range out.Items {
			rows = append(rows, []string{fmt.Sprint(l.Event.Seq), l.Event.Type, ago(l.Failed), fmt.Sprint(l.Tries), l.Error})
		}
		grid(w, "NUMBER EVENT FAILED TRIES ERROR", rows)
	})
}

// ago gives a time as people say it.
func ago(t time.Time) string {
	d := time.Since(t)
	switch {
	case t.IsZero():
		return "-"
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", int(d.Hours()))
	}
	return t.Local().Format("2006-01-02")
}
