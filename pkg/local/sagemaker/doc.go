// Package sagemaker is the local SageMaker: it runs training jobs and endpoints as subprocesses
// under SageMaker's own container contract (T3, R1). Inputs and outputs are the AWS SDK's types, so
// what is accepted here is accepted there.
//
// A job's folder has the /opt/ml layout; $PERENNIAL_ML_ROOT names it, and "/opt/ml" in the container
// entry point is replaced by it:
//
//	<root>/jobs/<name>/job.json      the record, replaced atomically at each change
//	                   log.txt       stdout and stderr of all attempts
//	                   metrics.jsonl "[perennial] k=v" lines with the time they were seen
//	                   pid, exit     process ids of the attempt; its exit status once it ended
//	                   ml/           input/{config,data/<channel>}, model, output, checkpoints
//	<root>/models, endpoint-configs, endpoints    records, one JSON file each
//	<root>/serving/<digest>/ml       one server per distinct model and environment
//
// Jobs die with the platform, by checkpoint: a lost parent is a SIGTERM to them. Resume starts
// them again in the same folder, where they go on from the checkpoint; an attempt that had ended
// by itself counts and is not run again.
package sagemaker
