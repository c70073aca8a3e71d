package config_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/config"
)

func environment(change map[string]string) func(string) string {
	env := map[string]string{
		config.Table: "perennial", config.Bucket: "perennial-data-1", config.Code: "s3://perennial-data-1/code/abc/",
		config.Machines: "arn:aws:states:eu-central-1:111122223333:stateMachine:perennial-",
	}
	for k, v := range change {
		env[k] = v
	}
	return func(name string) string { return env[name] }
}

func TestLoad(t *testing.T) {
	t.Run("a complete environment", func(t *testing.T) {
		c, err := config.Load(environment(map[string]string{config.LogLevel: "warn"}))
		require.NoError(t, err)
		require.Equal(t, config.Config{Table: "perennial", Bucket: "perennial-data-1", Code: "s3://perennial-data-1/code/abc/",
			Machines: "arn:aws:states:eu-central-1:111122223333:stateMachine:perennial-", LogLevel: slog.LevelWarn, Version: "development"}, c)
	})
	for name, bad := range map[string]string{
		config.Table: "a", config.Bucket: "Upper", config.Machines: "arn:aws:lambda:x", config.Code: "s3://b/code", config.LogLevel: "loud",
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			_, err := config.Load(environment(map[string]string{name: bad}))
			require.ErrorContains(t, err, name+`: "`+bad+`"`)
		})
	}
	t.Run("with a user pool", func(t *testing.T) {
		c, err := config.Load(environment(map[string]string{config.UserPool: "eu-central-1_Ab12", config.Client: "4f0q"}))
		require.NoError(t, err)
		require.Equal(t, "eu-central-1", c.Region())
		_, err = config.Load(environment(map[string]string{config.UserPool: "eu-central-1_Ab12"}))
		require.ErrorContains(t, err, config.Client)
		_, err = config.Load(environment(map[string]string{config.UserPool: "pool", config.Client: "4f0q"}))
		require.ErrorContains(t, err, config.UserPool)
	})
	t.Run("all faults at once", func(t *testing.T) {
		_, err := config.Load(func(string) string { return "" })
		for _, name := range []string{config.Table, config.Bucket, config.Machines, config.Code} {
			require.ErrorContains(t, err, name)
		}
	})
}
