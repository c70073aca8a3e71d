"""Transitions per second of moto's Step Functions interpreter, for comparison with ours.

Runs the benchmark's graph (eight Pass states, a Choice and a Succeed), once with references and once
with arithmetic, in JSONPath, the only query language that moto evaluates. Usage: python moto_bench.py [executions];
needs moto[stepfunctions]. `moto_bench.py beside FILE` compares what both printed.
"""

import json
import re
import sys
import time
from pathlib import Path

import boto3
from moto import mock_aws


def graph(value: str) -> dict:
    """The benchmark's ten states in JSONPath; value is what each Pass state assigns."""
    states = {
        f"P{i}": {"Type": "Pass", "Assign": {f"v{i}.$": value}, "Next": "C" if i == 7 else f"P{i + 1}"} for i in range(8)
    }
    states["C"] = {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericGreaterThan": 100, "Next": "S"}], "Default": "S"}
    states["S"] = {"Type": "Succeed"}
    return {"StartAt": "P0", "States": states}


def finish(client, arn: str) -> None:
    """Wait for the end of an execution."""
    while client.describe_execution(executionArn=arn)["status"] == "RUNNING":
        time.sleep(0.001)


def measure(name: str, value: str, executions: int) -> None:
    """Run one graph and print how fast it went."""
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        client = boto3.client("stepfunctions", region_name="us-east-1")
        role = "arn:aws:iam::123456789012:role/bench"
        machine = client.create_state_machine(name="bench", definition=json.dumps(graph(value)), roleArn=role)
        began = time.perf_counter()
        for i in range(executions):
            run = client.start_execution(stateMachineArn=machine["stateMachineArn"], name=f"run-{i}", input='{"n": 1}')
            finish(client, run["executionArn"])
        seconds = time.perf_counter() - began
        status = client.describe_execution(executionArn=run["executionArn"])["status"]
    print(json.dumps({"graph": name, "executions": executions, "seconds": round(seconds, 2), "transitionsPerSecond": round(executions * 10 / seconds, 1),
                      "cpuSeconds": round(time.process_time(), 2), "status": status}))


def main(executions: int) -> None:
    measure("references", "$.n", executions)
    measure("arithmetic", "States.MathAdd($.n, 1)", executions)


def beside(text: str) -> None:
    """Print how much faster our interpreter ran each graph."""
    moto = dict(re.findall(r'"graph": "(\w+)".*"transitionsPerSecond": ([\d.]+)', text))
    ours = dict(re.findall(r"^BenchmarkRun_(\w+?)(?:-\d+)?\s.*?([\d.]+) transitions/s", text, re.MULTILINE))
    for name, graph in {"InMemory": "references", "Arithmetic": "arithmetic"}.items():
        times = float(ours[name]) / float(moto[graph])
        print(f"{graph}: {float(ours[name]):,.0f} transitions/s, moto {float(moto[graph]):,.0f}: {times:.0f} times as fast (goal 20)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["beside"]:
        beside(Path(sys.argv[2]).read_text())
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
