package command

import (
	"strings"

	"github.com/spf13/cobra"
)

// examples show every command as people use it, by its path.
var examples = map[string][]string{
	"perennial":      {"perennial demo", "perennial up", "perennial status --watch"},
	"perennial up":   {"perennial up", "perennial up --data /srv/perennial --port 8080", "perennial up --verbose"},
	"perennial demo": {"perennial demo", "perennial demo --model-size tiny --yes", "perennial demo --until release --stay"},

	"perennial login":  {"perennial login", "perennial login --url http://localhost:7070 --user ben"},
	"perennial logout": {"perennial logout"},
	"perennial passwd": {"perennial passwd"},
	"perennial status": {"perennial status", "perennial status --watch", "perennial status --json"},

	"perennial data":            {"perennial data add new-facts.jsonl", "perennial data versions --dataset tickets"},
	"perennial data create":     {"perennial data create tickets"},
	"perennial data add":        {"perennial data add new-facts.jsonl", "perennial data add export.csv.gz --dataset tickets"},
	"perennial data versions":   {"perennial data versions", "perennial data versions --dataset tickets --json"},
	"perennial data ingestions": {"perennial data ingestions"},
	"perennial data publish":    {`perennial data publish ing_01K4 --reason "the bad rows are old"`},
	"perennial data discard":    {`perennial data discard ing_01K4 --reason "wrong export"`},
	"perennial data rejects":    {"perennial data rejects ing_01K4"},
	"perennial data retract":    {`perennial data retract 3 --reason "the prices were wrong"`},

	"perennial models":          {"perennial models"},
	"perennial models versions": {"perennial models versions", "perennial models versions --model support"},
	"perennial models add":      {"perennial models add support --dataset tickets --benchmarks general,company"},
	"perennial models import":   {`perennial models import .cache/models/tiny --model support --reason "as delivered"`},
	"perennial models anchor":   {`perennial models anchor 1 --reason "the version that support signed off"`},
	"perennial runs":            {"perennial runs", "perennial runs run_01K4"},
	"perennial runs logs":       {"perennial runs logs run_01K4"},
	"perennial runs cancel":     {`perennial runs cancel run_01K4 --reason "wrong data"`},
	"perennial runs retry":      {"perennial runs retry run_01K4"},
	"perennial train":           {"perennial train", "perennial train --preset safe --wait"},
	"perennial benchmarks":      {"perennial benchmarks"},

	"perennial approvals":    {"perennial approvals"},
	"perennial approve":      {`perennial approve apr_01K4 --reason "gains, forgets nothing"`},
	"perennial reject":       {`perennial reject apr_01K4 --reason "refunds are answered worse"`},
	"perennial release":      {"perennial release 2", `perennial release 2 --to staging --reason "try it first"`},
	"perennial releases":     {"perennial releases", "perennial releases rel_01K4"},
	"perennial rollback":     {`perennial rollback production --reason "wrong prices"`, `perennial rollback production --to 2 --reason "3 and 4 are bad"`},
	"perennial hold":         {"perennial hold list production"},
	"perennial hold list":    {"perennial hold list production"},
	"perennial hold add":     {`perennial hold add production 3 --reason "invents refunds"`},
	"perennial hold release": {`perennial hold release production hld_01K4 --reason "mended"`},
	"perennial lineage":      {"perennial lineage environment:support/production", "perennial lineage datasetVersion:tickets@2 --forward"},
	"perennial ask":          {`perennial ask "What is our refund period?"`, `perennial ask "Where is the depot?" --env staging`},

	"perennial users":               {"perennial users"},
	"perennial users add":           {"perennial users add ben approver", "perennial users add ana ml-engineer,data-engineer"},
	"perennial keys":                {"perennial keys add shop"},
	"perennial keys add":            {"perennial keys add shop", "perennial keys add reports --scopes data:read,models:read"},
	"perennial audit":               {"perennial audit"},
	"perennial audit verify":        {"perennial audit verify", "perennial audit verify --json"},
	"perennial dead-letters":        {"perennial dead-letters list"},
	"perennial dead-letters list":   {"perennial dead-letters list"},
	"perennial dead-letters replay": {"perennial dead-letters replay 17"},

	"perennial benchmark":               {"perennial benchmark lock suites/general"},
	"perennial benchmark lock":          {"perennial benchmark lock suites/general", "perennial benchmark lock suites/old suites/new"},
	"perennial benchmark library":       {"perennial benchmark library"},
	"perennial benchmark import":        {"perennial benchmark import gsm8k.yaml --name gsm8k --out suites"},
	"perennial benchmark contamination": {"perennial benchmark contamination --benchmark suites/general new-facts.jsonl"},
	"perennial canary":                  {"perennial canary --baseline old.log --canary new.log", "perennial canary --baseline old.log --canary new.log --exit-code"},
	"perennial asl":                     {"perennial asl lint statemachines/train-model.asl.json"},
	"perennial asl lint":                {"perennial asl lint statemachines/train-model.asl.json"},
	"perennial asl run":                 {`perennial asl run machine.asl.json --input '{"n": 1}'`, "perennial asl run machine.asl.json --mock mocks.json --case happy --history"},
	"perennial asl verify":              {"perennial asl verify recorded.json"},
	"perennial asl jsonata-suite":       {"perennial asl jsonata-suite .cache/jsonata/test/test-suite"},
	"perennial rules":                   {`perennial rules next --schedule "rate(1 day)"`},
	"perennial rules match":             {`perennial rules match --pattern '{"source": ["perennial"]}' --event @event.json`},
	"perennial rules next":              {`perennial rules next --schedule "cron(0 3 * * ? *)" --timezone Europe/Berlin --count 3`},
}

// illustrate puts its examples into the help of a command that has none of its own.
func illustrate(cmd *cobra.Command) {
	if lines := examples[cmd.CommandPath()]; cmd.Example == "" && len(lines) > 0 {
		cmd.Example = "  " + strings.Join(lines, "\n  ")
	}
}
