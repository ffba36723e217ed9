from passflow.pipeline.progress import LINE_SECONDS, StageClock


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, line: str) -> None:
        self.lines.append(line)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_line_per_stage_and_then_only_now_and_again() -> None:
    log, clock = Log(), Clock()
    heard = StageClock(log, clock)  # type: ignore[arg-type]  # the part of the log that is used
    heard("read", 1, None)
    for done in range(2, 1000):
        clock.now += 0.01
        heard("read", done, None)
    clock.now += LINE_SECONDS
    heard("read", 1_000, None)
    heard("compare", 1, 64)
    assert log.lines[0] == "read: 1"
    assert log.lines[-2:] == ["read: 1,000", "compare: 1 of 64"]
    assert len(log.lines) == 4


def test_seconds_by_stage_in_order() -> None:
    clock = Clock()
    heard = StageClock(Log(), clock)  # type: ignore[arg-type]  # the part of the log that is used
    heard("read", 0, None)
    clock.now += 3
    heard("compare", 0, 64)
    clock.now += 2
    heard("read", 1, None)
    clock.now += 1
    assert heard.seconds() == {"read": 4.0, "compare": 2.0}
    assert list(heard.seconds()) == ["read", "compare"]


def test_nothing_heard_nothing_said() -> None:
    log = Log()
    assert StageClock(log).seconds() == {}  # type: ignore[arg-type]  # the part of the log that is used
    assert log.lines == []
