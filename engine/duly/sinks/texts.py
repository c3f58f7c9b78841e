"""Texts: what people are told of each type of action where no template is given, in English and Chinese."""

from __future__ import annotations

from typing import TypeAlias

Texts: TypeAlias = dict[str, tuple[str, str]]
"""A title and a text for each language."""

_WHERE = (
    "Case: {action.case}\nCustomer: {action.customer}\nAt: {action.at}\nDue: {action.due_by}\nRule: {action.rule}",
    "个案：{action.case}\n客户：{action.customer}\n时间：{action.at}\n到期：{action.due_by}\n依据：{action.rule}",
)


def _of(en: str, zh: str, more_en: str = "", more_zh: str = "") -> Texts:
    """The texts of a type from their titles, and the lines that come before what all have."""
    return {
        "en": (en, f"{en}\n{more_en}\n{_WHERE[0]}".replace("\n\n", "\n")),
        "zh": (zh, f"{zh}\n{more_zh}\n{_WHERE[1]}".replace("\n\n", "\n")),
    }


_STEP = ("Clock: {action.clock}\nLadder: {action.ladder}, step {action.step}",
         "时钟：{action.clock}\n升级阶梯：{action.ladder}，步骤 {action.step}")  # fmt: skip
_TO = ("For: {data.people}", "处理人：{data.people}")

ANY = _of("{action.type}: {action.case}", "{action.type}：{action.case}")
"""What is told of a type that is not known here."""

TEXTS: dict[str, Texts] = {
    # What is to be done
    "notify": _of("Please look at {action.case}", "请关注 {action.case}",
                  f"Reason: {{action.reason}}\n{_STEP[0]}", f"原因：{{action.reason}}\n{_STEP[1]}"),
    "message": {"en": ("About your request {action.case}", "There is news about your request {action.case}."),
                "zh": ("关于您的需求 {action.case}", "您的需求 {action.case} 有新的进展。")},
    "assign": _of("{action.case} is yours", "{action.case} 由您受理", *_TO),
    "set": _of("Fields of {action.case} are to be set", "请更新 {action.case} 的字段", "Fields: {action.data}",
               "字段：{action.data}"),
    "task": _of("Task: {data.task}", "任务：{data.task}",
                f"{{data.title}}\n{_TO[0]}\nTo check: {{data.checklist}}",
                f"{{data.title}}\n{_TO[1]}\n检查项：{{data.checklist}}"),
    "emit": _of("Event {data.event}", "事件 {data.event}"),
    "escalate": _of("Escalation {data.ladder} begins", "启动升级阶梯 {data.ladder}"),
    "open_case": _of("A new case is to be opened: {data.case}", "请新建个案：{data.case}", "Fields: {data.fields}",
                     "字段：{data.fields}"),
    "approve": _of("Approval {data.approval} is asked for", "请审批：{data.approval}"),
    "survey": _of("Survey {data.survey} is asked for", "请安排满意度回访：{data.survey}"),
    "recommend": _of("Recommended: {data.recommend}", "建议：{data.recommend}", *_TO),
    # What became of clocks
    "clock.started": _of("{action.clock} of {action.case} has started", "{action.case} 的 {action.clock} 开始计时"),
    "clock.paused": _of("{action.clock} of {action.case} is paused", "{action.case} 的 {action.clock} 暂停计时"),
    "clock.resumed": _of("{action.clock} of {action.case} goes on", "{action.case} 的 {action.clock} 恢复计时"),
    "clock.met": _of("{action.clock} of {action.case} was met", "{action.case} 的 {action.clock} 已达成"),
    "clock.warned": _of("{action.clock} of {action.case} will soon be due", "{action.case} 的 {action.clock} 即将到期",
                        "Used up: {data.percent} %", "已用：{data.percent}%"),
    "clock.breached": _of("{action.clock} of {action.case} is overdue", "{action.case} 的 {action.clock} 已超时",
                          "Reason: {action.reason}", "原因：{action.reason}"),
    "clock.retargeted": _of("{action.clock} of {action.case} has another target",
                            "{action.case} 的 {action.clock} 改用目标"),
    "clock.cancelled": _of("{action.clock} of {action.case} is cancelled", "{action.case} 的 {action.clock} 已取消",
                           "Reason: {action.reason}", "原因：{action.reason}"),
    "clock.expired": _of("{action.clock} of {action.case} has run out", "{action.case} 的 {action.clock} 已期满"),
    # Cases
    "case.routed": _of("{action.case} goes to {data.to}", "{action.case} 分派给 {data.to}", "Also: {data.also}",
                       "并通知：{data.also}"),
    "gate.violated": _of("{data.event} of {action.case} is held back", "{action.case} 的 {data.event} 未通过门槛",
                         "Missing: {data.missing}", "缺少：{data.missing}"),
    "approval.cancelled": _of("An approval of {action.case} is no longer needed", "{action.case} 不再需要审批"),
    # Escalations
    "escalation.exhausted": _of("Nobody has answered for {action.case}", "{action.case} 升级到顶仍无人处理", *_STEP),
    "escalation.unmanned": _of("Nobody is there for {action.case}", "{action.case} 的升级对象无人在岗",
                               f"Asked for: {{data.to}}\n{_STEP[0]}", f"应通知：{{data.to}}\n{_STEP[1]}"),
    "escalation.cancelled": _of("The escalation of {action.case} has ended", "{action.case} 的升级已结束",
                                f"Reason: {{action.reason}}\n{_STEP[0]}", f"原因：{{action.reason}}\n{_STEP[1]}"),
    # Surveys
    "survey.planned": _of("Survey {action.survey} is planned", "已计划满意度回访 {action.survey}"),
    "survey.suppressed": _of("Survey {action.survey} is not sent", "满意度回访 {action.survey} 不发送",
                             "Reason: {action.reason}", "原因：{action.reason}"),
    "survey.sent": _of("Survey {action.survey}", "满意度回访 {action.survey}"),
    "survey.expired": _of("Survey {action.survey} was not answered", "满意度回访 {action.survey} 未收到答复"),
    # Duties
    "duty.opened": _of("{action.duty} is to be done", "请办理定期任务 {action.duty}", *_TO),
    "duty.done": _of("{action.duty} is done", "定期任务 {action.duty} 已完成",
                     "Late: {data.late}", "逾期：{data.late}"),
    "duty.late": _of("{action.duty} is late", "定期任务 {action.duty} 已逾期", *_TO),
    "duty.missed": _of("{action.duty} was missed", "定期任务 {action.duty} 漏办", *_TO),
    "duty.cancelled": _of("{action.duty} is cancelled", "定期任务 {action.duty} 已取消"),
    # The engine itself
    "policy.adopted": _of("A policy has come into force", "策略已启用", "Version: {policy.version}",
                          "版本：{policy.version}"),
    "rule_error": _of("A rule could not be followed: {action.rule}", "规则无法执行：{action.rule}",
                      "Fault: {data.code} {data.message}", "问题：{data.code} {data.message}"),
    "action.cancelled": _of("No longer called for: {data.type}", "以下动作已作废：{data.type}",
                            "Reason: {action.reason}", "原因：{action.reason}"),
}  # fmt: skip
