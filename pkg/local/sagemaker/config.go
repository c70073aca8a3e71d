package sagemaker

import (
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/object"
)

// Config is what a Service needs. Root, Objects, Bucket and Python are required.
type Config struct {
	Root    string       // folder for jobs and servers; created
	Objects object.Store // what is behind the bucket. If it has Path (see Pather), inputs are hard links
	Bucket  string       // s3://<Bucket>/<key> is the object <key>
	Code    string       // folder with the training code
	CodeKey string       // key prefix that stands for that folder: "code/<digest>/"
	Python  string       // interpreter that "python3" in an entry point means
	Serve   []string     // command of a model server; empty: python3 <Code>/serve.py
	Env     []string     // KEY=value for every process, on top of PATH, HOME, LANG and TMPDIR of this one
	Jobs    int          // jobs that run at a time; 0 = 1

	Clock      ids.Clock                            // nil: the wall clock
	After      func(time.Duration) <-chan time.Time // nil: time.After. Limits, grace and back-off wait on it
	Logger     *slog.Logger                         // nil: discard
	OnProgress func(Progress)                       // called in order per job; must not block. May be nil
}

// Pather is implemented by stores whose objects are immutable local files.
type Pather interface {
	// Path gives the file that holds an object. It is only read, or hard-linked.
	Path(key string) (string, error)
}

// Progress tells that a job moved on. Point is set for a metric line.
type Progress struct {
	Job       string
	Status    types.TrainingJobStatus
	Secondary types.SecondaryStatus
	Point     *Point
}

const (
	region  = "local"
	account = "000000000000"
)

func (c Config) withDefaults() (Config, error) {
	for name, v := range map[string]string{"Root": c.Root, "Bucket": c.Bucket, "Python": c.Python} {
		if v == "" {
			return c, errs.New(errs.Invalid, "local SageMaker needs %s", name)
		}
	}
	if c.Objects == nil {
		return c, errs.New(errs.Invalid, "local SageMaker needs Objects")
	}
	if len(c.Serve) == 0 {
		c.Serve = []string{"python3", filepath.Join(c.Code, "serve.py")}
	}
	if c.Jobs == 0 {
		c.Jobs = 1
	}
	if c.Clock == nil {
		c.Clock = ids.WallClock
	}
	if c.After == nil {
		c.After = time.After
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return c, nil
}
