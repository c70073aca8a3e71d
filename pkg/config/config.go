// Package config is the environment of the deployed functions as one checked struct. infra sets the
// variables by the same names.
package config

import (
	"errors"
	"log/slog"
	"regexp"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// The environment variables. All begin with PERENNIAL_.
const (
	Table    = "PERENNIAL_TABLE"     // name of the DynamoDB table
	Bucket   = "PERENNIAL_BUCKET"    // name of the bucket for data, models and reports
	Machines = "PERENNIAL_MACHINES"  // ARN of a state machine up to its name
	Code     = "PERENNIAL_CODE"      // S3 address of the training code, ending in a slash
	LogLevel = "PERENNIAL_LOG_LEVEL" // debug, info, warn or error; empty = info
	Version  = "PERENNIAL_VERSION"   // of the release; empty = development
	UserPool = "PERENNIAL_USER_POOL" // id of Cognito's user pool; only the API's function has it
	Letters  = "PERENNIAL_LETTERS"   // ARN of the queue of arrivals that were given up; only dataset-register has it
	Client   = "PERENNIAL_CLIENT"    // id of the API's app client of the user pool
)

// Config is what a function needs to know about its account.
type Config struct {
	Table    string
	Bucket   string
	Machines string // "arn:aws:states:eu-central-1:111122223333:stateMachine:perennial-"
	Code     string // "s3://bucket/code/<digest>/"
	LogLevel slog.Level
	Version  string
	UserPool string // "eu-central-1_Ab12Cd34E"; empty where nobody signs in
	Client   string
	// DeadLetters is the ARN of a queue whose messages are put aside when they fail; empty = none.
	DeadLetters string
}

// Region is where the user pool is.
func (c Config) Region() string {
	region, _, _ := strings.Cut(c.UserPool, "_")
	return region
}

var (
	tableShape    = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)
	bucketShape   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	machinesShape = regexp.MustCompile(`^arn:[a-z-]+:states:[a-z0-9-]+:\d{12}:stateMachine:[A-Za-z0-9_-]*$`)
	poolShape     = regexp.MustCompile(`^[a-z0-9-]+_[0-9A-Za-z]+$`)
	clientShape   = regexp.MustCompile(`^[\w+]{1,128}$`)
	codeShape     = regexp.MustCompile(`^s3://[a-z0-9.-]+/.+/$`)
)

// Load reads the environment through a lookup such as os.Getenv. All faults are told at once.
func Load(getenv func(string) string) (Config, error) {
	l := loader{getenv: getenv}
	c := Config{
		Table:    l.match(Table, tableShape, "a DynamoDB table name"),
		Bucket:   l.match(Bucket, bucketShape, "a bucket name"),
		Machines: l.match(Machines, machinesShape, "the ARN of a state machine without its name"),
		Code:     l.match(Code, codeShape, "an S3 folder such as s3://bucket/code/1/"),
		LogLevel: l.level(LogLevel),
		Version:  getenv(Version), DeadLetters: getenv(Letters),
	}
	if c.Version == "" {
		c.Version = "development"
	}
	if getenv(UserPool) != "" || getenv(Client) != "" {
		c.UserPool, c.Client = l.match(UserPool, poolShape, "the id of a user pool"), l.match(Client, clientShape, "the id of an app client")
	}
	return c, errors.Join(l.faults...)
}

// loader collects faults while it reads.
type loader struct {
	getenv func(string) string
	faults []error
}

func (l *loader) match(name string, shape *regexp.Regexp, what string) string {
	v := l.getenv(name)
	if !shape.MatchString(v) {
		l.faults = append(l.faults, errs.New(errs.Invalid, "%q is not %s", v, what).At(name).
			Mend("the stack sets it: deploy again instead of editing the function"))
	}
	return v
}

func (l *loader) level(name string) slog.Level {
	var level slog.Level
	v := strings.TrimSpace(l.getenv(name))
	if v == "" {
		return slog.LevelInfo
	}
	if err := level.UnmarshalText([]byte(v)); err != nil {
		l.faults = append(l.faults, errs.New(errs.Invalid, "%q is not a log level", v).At(name).Mend("use debug, info, warn or error"))
	}
	return level
}
