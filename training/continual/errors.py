"""Errors that end a job, each with the exit code of the container contract."""


class JobError(Exception):
    """Base of every expected failure; `code` is the process exit code."""

    code = 4


class ConfigError(JobError):
    """run.json or eval.json is wrong; the message starts with the field's path."""

    code = 2


class DataError(JobError):
    """A channel is missing, empty or malformed; the message names file and line."""

    code = 3


class TrainError(JobError):
    """Training itself failed (a loss that is not a number, no trainable weight)."""

    code = 4


class Stopped(JobError):
    """SIGTERM arrived: the state is checkpointed and the same root can go on."""

    code = 143
