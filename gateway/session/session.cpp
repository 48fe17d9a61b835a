#include "gateway/session/session.h"

#include <utility>

#include "gateway/session/session_parts.h"

namespace sallyport {

using boost::asio::awaitable;

namespace {

std::int64_t now_ms()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Decision decision_of(Verdict verdict)
{
    switch (verdict) {
    case Verdict::allow: return Decision::allowed;
    case Verdict::deny: return Decision::denied;
    case Verdict::hold: return Decision::held;
    }
    return Decision::denied;
}

std::string refusal_text(const Ruling& ruling)
{
    if (ruling.verdict == Verdict::hold)
        return "held by policy \"" + ruling.policy + "\"" +
               (ruling.reason.empty() ? "" : ": " + ruling.reason) +
               ": it needs an approval, and this gateway has nobody to ask yet";
    return "blocked by policy \"" + ruling.policy + "\": " + ruling.reason;
}

}  // namespace

const Session::Parts::Ruled& Session::Parts::rule_on(const std::shared_ptr<const Command>& command)
{
    // Rulings that are remembered. Few: memory per session counts, and a ruling costs about a
    // microsecond to make again.
    constexpr std::size_t limit = 32;
    const void* const key = policy.reads_texts()
                                ? static_cast<const void*>(command.get())
                                : static_cast<const void*>(command->shared_actions.get());
    const auto found = ruled.find(key);
    if (found != ruled.end())
        return found->second;
    if (ruled.size() >= limit)
        ruled.clear();
    Ruled made{command, std::make_shared<const Ruling>(policy.rule_on(*command)),
               names_of(*command->vocabulary, command->classes())};
    return ruled.emplace(key, std::move(made)).first->second;
}

Session::Session(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)), opened_at_(std::chrono::steady_clock::now())
{
}

Session::~Session()
{
    close("abandoned");
}

const MaskRules& Session::masks() const
{
    return parts_->policy.masks();
}

bool Session::permits_only(const Vocabulary& vocabulary, ClassSet classes) const
{
    return parts_->policy.permits_only(vocabulary, classes);
}

bool Session::is_unrestricted(const Vocabulary& vocabulary) const
{
    return parts_->policy.permits_all(vocabulary) &&
           !parts_->snapshots.current()->policies->masks_columns();
}

bool Session::masked_for_anyone(std::string_view place) const
{
    return parts_->snapshots.current()->policies->masks_for_anyone(place);
}

const SessionLimits& Session::limits() const
{
    return parts_->policy.limits();
}

Result<void> Session::append(Event& event)
{
    event.session = id_;
    event.number = parts_->last_number + 1;
    event.time_ms = now_ms();
    auto position = parts_->journal.append(event);
    if (!position) {
        parts_->failure = position.error();
        return tl::unexpected(std::move(position).error());
    }
    // Taken only now: an event that could not be kept must leave no hole in the numbers.
    parts_->last_number = event.number;
    if (event.kind == EventKind::command_decided && event.decision == Decision::allowed)
        parts_->begun = *position;
    return {};
}

bool Session::allows(const std::shared_ptr<const Command>& command) const
{
    return parts_->rule_on(command).ruling->verdict == Verdict::allow;
}

Result<MaskPlan> Session::plan(std::span<const Column> columns) const
{
    const MaskRules& rules = masks();
    std::vector<const MaskAction*> actions(columns.size());
    if (rules.hides_nothing())
        return MaskPlan(std::move(actions), rules.key());
    for (std::size_t i = 0; i < columns.size(); ++i) {
        for (const std::string& source : columns[i].sources) {
            actions[i] = rules.action_for(source);
            if (actions[i] != nullptr)
                break;
        }
        if (actions[i] != nullptr && columns[i].made &&
            (actions[i]->kind == MaskAction::Kind::keep_first ||
             actions[i]->kind == MaskAction::Kind::keep_last))
            actions[i] = &MaskRules::untraced_action();
        // Masks that name no column look at values only.
        if (actions[i] != nullptr || columns[i].traced || !rules.names_columns())
            continue;
        if (rules.untraceable() == MaskRules::Untraceable::refuse)
            return failure(Fault::refused, "the result's column \"" + columns[i].label +
                                               "\" may hold masked values and cannot be traced");
        actions[i] = &MaskRules::untraced_action();
    }
    return MaskPlan(std::move(actions), rules.key());
}

Result<Exchange> Session::begin(const std::shared_ptr<const Command>& command,
                                std::span<const Bytes> parameters)
{
    if (parts_->failure)
        return tl::unexpected(*parts_->failure);
    if (auto admitted = parts_->journal.admits(); !admitted)
        return tl::unexpected(std::move(admitted).error());

    const Parts::Ruled& ruled = parts_->rule_on(command);
    const Ruling& ruling = *ruled.ruling;

    Event event{.kind = EventKind::command_decided};
    event.decision = decision_of(ruling.verdict);
    event.classes = ruled.classes;
    event.rule = ruling.rule;
    event.text = command->text;
    event.payload = parameters;
    if (auto recorded = append(event); !recorded)
        return tl::unexpected(std::move(recorded).error());

    if (ruling.verdict != Verdict::allow) {
        std::string context = "rule " + ruling.rule;
        if (!ruling.cause.empty())
            context += " (" + ruling.cause + ")";
        return tl::unexpected(
            refusal(event.number, refusal_text(ruling), std::move(context) + "; "));
    }
    if (!command->only_reads())
        parts_->effect_begun = parts_->begun;
    return Exchange(*this, event.number);
}

Error Session::refuse(const std::shared_ptr<const Command>& command,
                      std::span<const Bytes> parameters, std::string_view reason)
{
    const std::string classes = names_of(*command->vocabulary, command->classes());
    Event event{.kind = EventKind::command_decided};
    event.decision = Decision::denied;
    event.classes = classes;
    event.rule = "gateway";
    event.text = command->text;
    event.payload = parameters;
    if (auto recorded = append(event); !recorded)
        return std::move(recorded).error();
    return refusal(event.number, std::string(reason), {});
}

// Closes a refused command's record with the words the client is told. They stand there, not with
// the decision, for they may name columns: they can be erased, and the decision stays.
Error Session::refusal(std::uint32_t command, std::string words, std::string context)
{
    Event event{.kind = EventKind::command_ended};
    event.command = command;
    event.text = words;
    if (auto recorded = append(event); !recorded)
        return std::move(recorded).error();
    context += "session " + to_string(id_) + "; command " + std::to_string(command);
    return Error{Fault::refused, std::move(words), std::move(context)};
}

std::optional<ForwardPermit> Session::forward_permit_now() const
{
    if (parts_->failure || parts_->effect_begun > parts_->effect_safe)
        return std::nullopt;
    return ForwardPermit();
}

std::optional<ShowPermit> Session::show_permit_now()
{
    show_pending();
    if (parts_->failure)
        return std::nullopt;
    if (connection_->durability != Durability::standard && parts_->begun > parts_->shown_safe)
        return std::nullopt;
    return ShowPermit();
}

awaitable<Result<ForwardPermit>> Session::permit_to_forward()
{
    if (parts_->failure)
        co_return tl::unexpected(*parts_->failure);
    const Position wanted = parts_->effect_begun;
    if (wanted > parts_->effect_safe) {
        if (connection_->durability == Durability::store)
            CO_TRY_DONE(co_await parts_->journal.committed(wanted));
        else
            CO_TRY_DONE(co_await parts_->journal.synced(wanted));
        parts_->effect_safe = wanted;
    }
    co_return ForwardPermit();
}

awaitable<Result<ShowPermit>> Session::permit_to_show()
{
    show_pending();
    if (parts_->failure)
        co_return tl::unexpected(*parts_->failure);
    const Position wanted = parts_->begun;
    if (wanted > parts_->shown_safe) {
        switch (connection_->durability) {
        case Durability::standard: break;  // written when append() returned
        case Durability::strict: CO_TRY_DONE(co_await parts_->journal.synced(wanted)); break;
        case Durability::store: CO_TRY_DONE(co_await parts_->journal.committed(wanted)); break;
        }
        parts_->shown_safe = wanted;
    }
    co_return ShowPermit();
}

void Session::show_pending()
{
    if (parts_->pending.empty())
        return;
    Event event{.kind = EventKind::output_shown};
    event.command = parts_->pending_command;
    event.payload = parts_->pending;
    (void)append(event);  // a failure is kept and ends the session at the next permit
    parts_->pending.clear();
}

void Session::shown_unasked(Bytes bytes)
{
    if (parts_->pending_command != 0)
        show_pending();
    parts_->pending_command = 0;
    parts_->pending.push_back(bytes);
}

void Session::record_cancel()
{
    Event event{.kind = EventKind::cancel_requested};
    (void)append(event);  // a failure is kept and ends the session at the next permit
}

void Session::close(std::string_view why)
{
    if (std::exchange(parts_->closed, true))
        return;
    show_pending();
    Event event{.kind = EventKind::session_closed};
    event.text = why;
    (void)append(event);  // nothing follows that could be held back
}

bool Session::still_holds() const
{
    return parts_->snapshots.current()->users->still_holds(who_);
}

}  // namespace sallyport
