#include "protocols/postgres/conversation.h"

namespace sallyport::postgres {

void Conversation::push(Step&& step)
{
    if (skipping_) {
        if (step.kind != StepKind::sync) {
            if (step.exchange)
                step.exchange->finish(Outcome{false, "skipped"});
            return;
        }
        skipping_ = false;
    }
    if (step.kind == StepKind::execute || step.kind == StepKind::query)
        data_sent_ = false;
    if (step.kind == StepKind::sync)
        step.before_data = !data_sent_;
    if (step.changes_reading)
        ++reading_changes_;
    if (!step.refusal) {
        if (step.kind == StepKind::parse)
            statements.promise(step.name, step.prepared);
        if (step.kind == StepKind::bind)
            portals.promise(step.name, step.portal);
        if (step.kind == StepKind::close && step.names_statement)
            statements.promise(step.name, nullptr);
        if (step.kind == StepKind::close && !step.names_statement)
            portals.promise(step.name, nullptr);
    }
    steps_.push_back(std::move(step));
}

Step* Conversation::newest_exchange()
{
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step)
        if (step->exchange)
            return &*step;
    return nullptr;
}

void Conversation::settle(const Step& step, bool kept)
{
    if (step.changes_reading)
        --reading_changes_;
    if (step.refusal)
        return;
    if (step.kind == StepKind::parse || (step.kind == StepKind::close && step.names_statement)) {
        statements.settle(step.name, kept);
        // A Parse of the unnamed statement drops the old one even where it fails.
        if (!kept && step.kind == StepKind::parse && step.name.empty())
            statements.erase(step.name);
    }
    if (step.kind == StepKind::bind || (step.kind == StepKind::close && !step.names_statement))
        portals.settle(step.name, kept);
}

void Conversation::pop(bool kept)
{
    settle(steps_.front(), kept);
    steps_.pop_front();
}

std::vector<Copies> Conversation::skip_to_sync()
{
    std::vector<Copies> copies;
    drop_swallowed_syncs();
    while (!steps_.empty() && steps_.front().kind != StepKind::sync) {
        Step& step = steps_.front();
        if (step.exchange)
            step.exchange->finish(Outcome{false, step.failed ? step.outcome.summary : "skipped"});
        step.exchange.reset();
        if (step.copies)
            copies.push_back(std::move(step.copies));
        settle(step, false);
        steps_.pop_front();
    }
    skipping_ = steps_.empty();
    return copies;
}

void Conversation::drop_swallowed_syncs()
{
    if (steps_.empty() || !steps_.front().copying_in || steps_.front().kind != StepKind::execute)
        return;
    for (auto step = steps_.begin() + 1;
         step != steps_.end() && step->kind == StepKind::sync && step->before_data;)
        step = steps_.erase(step);
}

}  // namespace sallyport::postgres
