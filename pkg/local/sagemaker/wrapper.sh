# Runs "$@" as a child, passes SIGTERM on, and leaves its exit status in a file: what happened is
# known even when nobody was there to wait for it. Usage: sh -c <this> wrapper PID_FILE EXIT_FILE CMD…
pid_file=$1 exit_file=$2
shift 2
trap 'stop=1; if [ -n "$child" ]; then kill -TERM "$child" 2>/dev/null; fi' TERM INT
echo "$$" >"$pid_file"
"$@" &
child=$!
echo "$$ $child" >"$pid_file"
# A signal that reaches the child between its fork and its exec is lost with the shell's handler, so a stop is said twice.
insist() {
  [ -n "$stop" ] && [ -z "$insisted" ] || return 0
  insisted=1
  kill -TERM "$child" 2>/dev/null
  sleep 0.2
  kill -TERM "$child" 2>/dev/null
}
insist
wait "$child"
code=$?
while kill -0 "$child" 2>/dev/null; do
  insist
  wait "$child"
  code=$?
done
echo "$code" >"$exit_file.new" && mv "$exit_file.new" "$exit_file"
exit "$code"
