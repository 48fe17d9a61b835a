// The relay's loop from the target to the client: whose answer it is, mask, record, show.

#include <algorithm>
#include <utility>

#include "protocols/postgres/message.h"
#include "protocols/postgres/parameters.h"
#include "protocols/postgres/refusal.h"
#include "protocols/postgres/relay.h"
#include "protocols/postgres/scrub.h"

namespace sallyport::postgres {

using boost::asio::awaitable;

namespace {

// Longer descriptions are not kept with their statement; their rows replay without names.
constexpr std::size_t description_limit = std::size_t{64} << 10;

// A Query of several statements: the one whose result comes next.
const Statement* statement_under_way(const Step& step)
{
    if (!step.sql || step.results >= step.sql->statements().size())
        return nullptr;
    return &step.sql->statements()[step.results];
}

std::shared_ptr<Prepared> prepared_by(std::shared_ptr<const Sql> sql)
{
    auto prepared = std::make_shared<Prepared>();
    prepared->sql = std::move(sql);
    return prepared;
}

bool may_stream(char type)
{
    return type == 'D' || type == 'd';
}

}  // namespace

awaitable<Result<void>> Relay::from_target()
{
    // What came behind the login's ReadyForQuery is already there.
    Result<Pause> pause = take_answers();
    for (;;) {
        while (pause && *pause == Pause::catalogue) {
            CO_TRY(read, co_await catalogue_source_.read());
            pause = take_answers(read);
        }
        CO_TRY(why, std::move(pause));
        if (why == Pause::ended)
            co_return Result<void>();
        if (why == Pause::show) {
            CO_TRY_DONE(co_await show());
            answered();
        }
        pause = Pause::none;
        CO_TRY_DONE(co_await target_stream_.while_readable([this, &pause] {
            pause = target_turn();
            return pause && *pause == Pause::none;
        }));
    }
}

Result<Relay::Pause> Relay::target_turn()
{
    const auto filled = target_in_.fill_now(target_wanted_);
    if (filled)
        return *filled ? take_answers() : Pause::none;
    if (target_said_goodbye_ || client_left_)
        return Pause::ended;
    return failure(Fault::unavailable, "the connection to the target was lost");
}

Result<Relay::Pause> Relay::take_answers(const CatalogueReading& just_read)
{
    const CatalogueReading* reading = &just_read;
    static const CatalogueReading none;
    target_wanted_ = 0;
    for (;;) {
        const Bytes unread = target_in_.unread().subspan(target_taken_);
        if (unread.empty())
            break;
        if (target_rest_ > 0) {
            const Bytes part = unread.first(std::min<std::size_t>(target_rest_, unread.size()));
            own(conversation_.front());
            to_client_.pass(part);
            target_rest_ -= part.size();
            target_taken_ += part.size();
            continue;
        }
        TRY(head, next_head(unread, session_.connection().message_limit));
        if (!head)
            break;
        if (head->size > unread.size()) {
            if (!may_stream(head->type) || masked()) {
                target_wanted_ = static_cast<std::size_t>(head->size);
                break;
            }
            own(conversation_.front());
            if (head->type == 'D' && conversation_.front() != nullptr)
                TRY_DONE(count_rows(*conversation_.front(), 1));
            target_rest_ = head->size;
            continue;
        }
        const Frame frame = frame_of(*head, unread);
        TRY(answer, on_target_message(frame, *reading));
        if (answer == Answered::catalogue_wanted)
            return Pause::catalogue;
        reading = &none;
        target_taken_ += frame.whole.size();
    }
    attribute_run();
    owner_ = nullptr;
    TRY(shown, show_now());
    if (!shown)
        return Pause::show;
    answered();
    return Pause::none;
}

void Relay::answered()
{
    target_in_.consume(std::exchange(target_taken_, 0));
    if (conversation_.empty())
        settled_.cancel();
}

Result<bool> Relay::show_now()
{
    const auto permit = session_.show_permit_now();
    if (!permit)
        return false;
    if (to_client_.empty())
        return true;
    TRY(all, client_.show_now(*permit, to_client_, shown_));
    if (all)
        shown_all();
    else
        showing_ = true;
    return all;
}

awaitable<Result<void>> Relay::show()
{
    auto permit = co_await session_.permit_to_show();
    if (!permit)
        co_return tl::unexpected(std::move(permit).error());
    showing_ = !to_client_.empty();
    CO_TRY_DONE(co_await client_.show(*permit, to_client_, shown_));
    shown_all();
    co_return Result<void>();
}

void Relay::shown_all()
{
    to_client_.clear();
    shown_ = 0;
    showing_ = target_rest_ > 0;
}

void Relay::own(Step* step)
{
    if (step == owner_)
        return;
    // Bytes of messages that have no record may stand in one run.
    const bool recorded = (owner_ != nullptr && owner_->exchange) || (step && step->exchange);
    if (recorded)
        attribute_run();
    owner_ = step;
    if (step == nullptr || step->kind != StepKind::execute || step->described || !step->exchange)
        return;
    // Drivers describe a statement once and run it often: each record tells what its rows are.
    step->described = true;
    Portal& portal = *step->portal;
    if (portal.description.empty() && !portal.prepared->description.empty())
        portal.description = with_formats(portal.prepared->description, portal.result_formats);
    if (!portal.description.empty())
        step->exchange->shown(bytes_of(portal.description));
}

void Relay::attribute_run()
{
    const Bytes run = to_client_.end_run();
    if (run.empty())
        return;
    if (owner_ != nullptr && owner_->exchange)
        owner_->exchange->shown(run);
}

void Relay::pass(const Frame& frame, Step* step)
{
    own(step);
    to_client_.pass(frame.whole);
}

void Relay::say(std::string_view message, Step* step)
{
    own(step);
    attribute_run();
    const Bytes said = to_client_.add(message);
    if (step != nullptr && step->exchange)
        step->exchange->shown(said);
}

void Relay::pass_words(const Frame& frame, Step* step)
{
    if (step != nullptr && step->exchange) {
        pass(frame, step);
        return;
    }
    own(nullptr);
    attribute_run();
    session_.shown_unasked(frame.whole);
    pass(frame, nullptr);
}

void Relay::say_words(std::string_view message, Step* step)
{
    if (step != nullptr && step->exchange) {
        say(message, step);
        return;
    }
    own(nullptr);
    attribute_run();
    session_.shown_unasked(to_client_.add(message));
}

Result<Relay::Answered> Relay::on_target_message(const Frame& frame,
                                                 const CatalogueReading& just_read)
{
    Step* const step = conversation_.front();
    const bool hidden = step != nullptr && step->hidden;
    switch (frame.type) {
    case 'D': TRY_DONE(on_row(frame)); return Answered::done;
    case 'T': return on_row_description(frame, just_read);
    case 'n':
    case 't':
        if (step == nullptr)
            break;
        if (!hidden)
            pass(frame, step);
        if (frame.type == 'n') {
            if (step->portal)
                step->portal->shape = std::make_shared<ResultShape>();
            own(nullptr);
            conversation_.pop(true);
        }
        return Answered::done;
    case '1':
    case '2':
    case '3':
        pass(frame, step);
        own(nullptr);
        if (step != nullptr)
            conversation_.pop(true);
        return Answered::done;
    case 'C':
    case 'I':
    case 's': {
        pass(frame, step);
        if (step == nullptr)
            return Answered::done;
        if (frame.type == 'C') {
            BodyReader reader(frame.body);
            step->outcome = Outcome{true, std::string(reader.text())};
        } else {
            step->outcome = Outcome{true, frame.type == 's' ? "suspended" : "empty"};
        }
        ++step->results;
        step->copying_out = false;
        copy_rewriter_.reset();
        if (step->kind == StepKind::execute) {
            attribute_run();
            own(nullptr);
            conversation_.drop_swallowed_syncs();
            Step& done = *conversation_.front();
            apply_completed(done);
            if (done.exchange)
                std::exchange(done.exchange, std::nullopt)->finish(done.outcome);
            conversation_.pop(true);
        }
        return Answered::done;
    }
    case 'G':
        if (step != nullptr)
            step->copying_in = true;
        pass(frame, step);
        return Answered::done;
    case 'H': return on_copy_out(frame, just_read);
    case 'd': TRY_DONE(on_copy_row(frame)); return Answered::done;
    case 'c': pass(frame, step); return Answered::done;
    case 'W':
        if (!session_.connection().allow_replication || masked())
            return failure(Fault::refused, "streaming replication is not allowed here");
        if (step != nullptr)
            step->copying_in = step->copying_out = true;
        pass(frame, step);
        return Answered::done;
    case 'E': on_error(frame); return Answered::done;
    case 'N':
        if (masked() && (step == nullptr || touches_masked(step->sql.get(), nullptr)))
            say_words(scrubbed('N', frame.body), step);
        else
            pass_words(frame, step);
        return Answered::done;
    case 'A': on_notification(frame); return Answered::done;
    case 'S': on_parameter_status(frame); return Answered::done;
    case 'V':
        if (masked()) {
            std::string message;
            MessageWriter(message).begin('V').u32(0xffffffffU).end();
            if (step != nullptr && step->exchange)
                step->exchange->count_masked(1);
            say(message, step);
        } else {
            pass(frame, step);
        }
        if (step != nullptr)
            step->outcome = Outcome{true, "function call"};
        return Answered::done;
    case 'Z': on_ready(frame); return Answered::done;
    default: break;
    }
    return failure(Fault::malformed, "the target sent a message that belongs nowhere, type " +
                                         std::to_string(static_cast<unsigned char>(frame.type)));
}

Result<void> Relay::count_rows(Step& step, std::uint64_t rows)
{
    if (!step.exchange)
        return {};
    step.exchange->count_rows(rows);
    const auto& limit = session_.limits().rows;
    if (limit && step.exchange->rows() > *limit)
        return failure(Fault::limit, "the result has more than the " + std::to_string(*limit) +
                                         " rows that the policy allows");
    return {};
}

Result<void> Relay::on_row(const Frame& frame)
{
    Step* const step = conversation_.front();
    if (step == nullptr)
        return failure(Fault::malformed, "the target sent a row that nobody asked for");
    TRY_DONE(count_rows(*step, 1));
    if (!masked()) {
        pass(frame, step);
        return {};
    }
    static const ResultShape unannounced;
    const ResultShape* shape = &unannounced;
    if (step->shape)
        shape = step->shape.get();
    else if (step->portal && step->portal->shape)
        shape = step->portal->shape.get();
    if (shape->plan.hides_nothing()) {
        pass(frame, step);
        return {};
    }
    std::string row;
    TRY(hidden, mask_row(frame.body, *shape, row));
    if (step->exchange)
        step->exchange->count_masked(hidden);
    say(row, step);
    return {};
}

bool Relay::statement_touches(const Statement& statement) const
{
    if (statement.classes.contains(static_cast<std::size_t>(SqlClass::opaque)))
        return true;
    // What these run was sent earlier in this session.
    const bool runs_earlier =
        statement.kind == StatementKind::execute || statement.kind == StatementKind::fetch ||
        statement.kind == StatementKind::explain || statement.kind == StatementKind::ddl;
    if (runs_earlier && touched_before_)
        return true;
    return sensitive_ ? sensitive_->touched_by(statement.mentions)
                      : !statement.mentions.relations.empty();
}

bool Relay::touches_masked(const Sql* sql, const Statement* only)
{
    if (sql == nullptr || !sql->problem.empty())
        return true;
    const auto newest = catalogue_source_.current();
    if (newest && newest != sensitive_of_) {
        sensitive_of_ = newest;
        sensitive_.emplace(*newest, session_.masks());
        asked_about_ = nullptr;
    }
    if (only != nullptr && sql->statements().size() > 1)
        return statement_touches(*only);
    return any_statement_touches(*sql);
}

bool Relay::any_statement_touches(const Sql& sql)
{
    if (asked_about_ == sql.shared_statements && asked_before_touched_ == touched_before_)
        return asked_touches_;
    asked_about_ = sql.shared_statements;
    asked_before_touched_ = touched_before_;
    asked_touches_ =
        std::any_of(sql.statements().begin(), sql.statements().end(),
                    [this](const Statement& statement) { return statement_touches(statement); });
    return asked_touches_;
}

Result<std::shared_ptr<const ResultShape>> Relay::shape_of(Bytes row_description, const Sql* sql,
                                                           const Statement* statement,
                                                           const CatalogueReading& just_read)
{
    const CatalogueReading known = just_read ? just_read : catalogue_source_.current();
    if (!known)
        return nullptr;
    const bool touched = touches_masked(sql, statement);
    if (auto shape = shapes_.find(row_description, known, touched))
        return shape;
    auto shape = std::make_shared<ResultShape>();
    TRY(fields, read_row_description(row_description));
    shape->fields = std::move(fields);
    std::vector<Column> columns;
    columns.reserve(shape->fields.size());
    bool all_known = true;
    for (const FieldShape& field : shape->fields) {
        Column column;
        column.label = field.label;
        if (field.relation != 0)
            column.sources = known->sources(field.relation, field.attribute);
        const bool known_here = field.relation == 0 || !column.sources.empty();
        // Made since the catalogue was read, perhaps.
        if (!known_here && !just_read)
            return nullptr;
        all_known = all_known && known_here;
        // A column of a relation that nobody knows could be anything; one without an origin is
        // hidden where the statement mentions what could be masked.
        column.traced =
            field.relation != 0
                ? !column.sources.empty() && !known->holds_values(field.relation, field.attribute)
                : !touched;
        columns.push_back(std::move(column));
    }
    TRY(plan, session_.plan(columns));
    shape->plan = std::move(plan);
    // What nobody knows yet is looked up again the next time: it may be committed by then.
    if (all_known)
        shapes_.keep(row_description, known, touched, shape);
    return shape;
}

Result<Relay::Answered> Relay::on_row_description(const Frame& frame,
                                                  const CatalogueReading& just_read)
{
    Step* const step = conversation_.front();
    if (step == nullptr)
        return failure(Fault::malformed, "the target described a result nobody asked for");
    const Sql* sql = step->sql.get();
    if (step->kind == StepKind::describe_portal && step->portal)
        sql = step->portal->sql().get();
    if (masked() && step->kind != StepKind::describe_statement) {
        TRY(shape, shape_of(frame.body, sql, statement_under_way(*step), just_read));
        if (!shape)
            return Answered::catalogue_wanted;
        if (step->kind != StepKind::describe_portal)
            step->shape = std::move(shape);
        else if (step->portal)
            step->portal->shape = std::move(shape);
    }
    if (step->kind == StepKind::query) {
        pass(frame, step);
        return Answered::done;
    }
    if (step->prepared && frame.whole.size() <= description_limit)
        step->prepared->description = text_of(frame.whole);
    // For the record the description belongs to the execution that follows it.
    Step* execution = conversation_.second();
    const bool follows = execution != nullptr && execution->kind == StepKind::execute &&
                         execution->name == step->name && step->kind == StepKind::describe_portal;
    if (follows)
        execution->described = true;
    if (!step->hidden)
        pass(frame, follows ? execution : step);
    else if (follows && execution->exchange) {
        own(execution);
        attribute_run();
        execution->exchange->shown(frame.whole);
    }
    own(nullptr);
    conversation_.pop(true);
    return Answered::done;
}

Result<Relay::Answered> Relay::on_copy_out(const Frame& frame, const CatalogueReading& just_read)
{
    Step* const step = conversation_.front();
    if (step == nullptr)
        return failure(Fault::malformed, "the target began a COPY that nobody asked for");
    const CatalogueReading known = just_read ? just_read : catalogue_source_.current();
    if (masked() && !known)
        return Answered::catalogue_wanted;
    copy_rewriter_.reset();
    step->copying_out = true;
    pass(frame, step);
    if (!masked())
        return Answered::done;

    BodyReader reader(frame.body);
    CopyTarget form;
    form.format = reader.u8() == 1 ? CopyTarget::Format::binary : CopyTarget::Format::text;
    const Statement* statement = statement_under_way(*step);
    if (statement != nullptr && statement->kind == StatementKind::copy_out)
        form = statement->copy;
    const CatalogueRelation* relation =
        statement == nullptr || form.relation.name.empty() ? nullptr : known->find(form.relation);
    if (relation == nullptr) {
        const bool harmless = statement != nullptr && !touches_masked(step->sql.get(), statement) &&
                              form.relation.name.empty();
        if (!harmless)
            copy_rewriter_.emplace(form, MaskPlan(), std::vector<std::uint32_t>());
        return Answered::done;
    }
    std::vector<Column> columns;
    std::vector<std::uint32_t> types;
    const auto add = [&](std::size_t position) {
        const int attribute = static_cast<int>(position) + 1;
        columns.push_back({relation->columns[position], known->sources(relation->oid, attribute),
                           !known->holds_values(relation->oid, attribute)});
        types.push_back(relation->types[position]);
    };
    if (form.columns.empty()) {
        for (std::size_t i = 0; i < relation->columns.size(); ++i)
            if (!relation->columns[i].empty())
                add(i);
    }
    for (const std::string& name : form.columns) {
        const auto found = std::find(relation->columns.begin(), relation->columns.end(), name);
        if (found == relation->columns.end()) {
            copy_rewriter_.emplace(form, MaskPlan(), std::vector<std::uint32_t>());
            return Answered::done;
        }
        add(static_cast<std::size_t>(found - relation->columns.begin()));
    }
    TRY(plan, session_.plan(columns));
    if (!plan.hides_nothing())
        copy_rewriter_.emplace(form, std::move(plan), std::move(types));
    return Answered::done;
}

Result<void> Relay::on_copy_row(const Frame& frame)
{
    Step* const step = conversation_.front();
    if (step == nullptr || !step->copying_out)
        return failure(Fault::malformed, "the target sent COPY data that it had not announced");
    TRY_DONE(count_rows(*step, 1));
    if (!copy_rewriter_) {
        pass(frame, step);
        return {};
    }
    std::size_t hidden = 0;
    TRY(body, copy_rewriter_->rewrite(frame.body, hidden));
    if (step->exchange)
        step->exchange->count_masked(hidden);
    std::string message;
    MessageWriter(message).begin('d').bytes(bytes_of(body)).end();
    say(message, step);
    return {};
}

void Relay::on_error(const Frame& frame)
{
    Step* const step = conversation_.front();
    std::string sqlstate;
    if (const auto diagnostic = read_diagnostic(frame.body); diagnostic) {
        sqlstate = diagnostic->field('C');
        target_said_goodbye_ =
            diagnostic->field('V') == "FATAL" || diagnostic->field('V') == "PANIC" ||
            (diagnostic->field('V').empty() &&
             (diagnostic->field('S') == "FATAL" || diagnostic->field('S') == "PANIC"));
    }
    if (step != nullptr && step->refusal)
        say(refusal_message(frame.body, *step->refusal), step);
    else if (masked() && !target_said_goodbye_ &&
             (step == nullptr || step->portal || touches_masked(step->sql.get(), nullptr)))
        say_words(scrubbed('E', frame.body), step);
    else
        pass_words(frame, step);
    copy_rewriter_.reset();
    if (step == nullptr)
        return;
    step->failed = true;
    step->outcome = Outcome{false, "ERROR " + sqlstate};
    if (step->kind == StepKind::query || step->kind == StepKind::sync ||
        step->kind == StepKind::function_call)
        return;  // ReadyForQuery follows
    attribute_run();
    own(nullptr);
    conversation_.skip_to_sync();
}

void Relay::on_ready(const Frame& frame)
{
    Step* const step = conversation_.front();
    pass(frame, step);
    const char status = frame.body.empty() ? 'I' : static_cast<char>(frame.body[0]);
    if (step != nullptr) {
        apply_completed(*step);
        attribute_run();
        own(nullptr);
        if (step->exchange)
            std::exchange(step->exchange, std::nullopt)->finish(step->outcome);
        conversation_.pop(true);
    }
    if (status == 'I') {
        conversation_.portals.clear();
        if (std::exchange(catalogue_touched_, false))
            catalogue_source_.changes().count.fetch_add(1);
    }
}

void Relay::apply_completed(const Step& step)
{
    if (!step.sql)
        return;
    const std::size_t completed = std::min(step.results, step.sql->statements().size());
    for (std::size_t i = 0; i < completed; ++i) {
        const Statement& statement = step.sql->statements()[i];
        catalogue_touched_ = catalogue_touched_ || statement.changes_catalogue;
        if (statement.kind == StatementKind::prepare)
            conversation_.statements.set(statement.name, prepared_by(step.sql));
        if (statement.kind == StatementKind::deallocate && statement.name.empty())
            conversation_.statements.clear();
        if (statement.kind == StatementKind::deallocate && !statement.name.empty())
            conversation_.statements.erase(statement.name);
    }
    // What the gateway cannot read may have changed anything.
    if (!step.sql->problem.empty())
        catalogue_touched_ = true;
}

void Relay::on_notification(const Frame& frame)
{
    if (!masked() || !touched_before_) {
        pass_words(frame, nullptr);
        return;
    }
    // pg_notify() can carry any value this session has read.
    BodyReader reader(frame.body);
    const std::uint32_t process = reader.u32();
    const std::string_view channel = reader.text();
    std::string message;
    MessageWriter(message).begin('A').u32(process).text(channel).text("[masked]").end();
    say_words(message, nullptr);
}

void Relay::on_parameter_status(const Frame& frame)
{
    BodyReader reader(frame.body);
    const std::string_view name = reader.text();
    const std::string_view value = reader.text();
    if (name == "standard_conforming_strings")
        standard_strings_ = value == "on";
    if (name == "client_encoding")
        utf8_ = value == "UTF8";
    Step* const step = conversation_.front();
    // set_config() can put any value into the two settings that take free text; one that the
    // client has typed himself tells him nothing.
    const bool free_text = name == "application_name" || name == "TimeZone";
    const bool typed =
        step != nullptr && step->sql && step->sql->command->text.find(value) != std::string::npos;
    if (!masked() || !touched_before_ || !free_text || typed) {
        pass(frame, step);
        return;
    }
    std::string message;
    MessageWriter(message).begin('S').text(name).text("[masked]").end();
    say(message, step);
}

}  // namespace sallyport::postgres
