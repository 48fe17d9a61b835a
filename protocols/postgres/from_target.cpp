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
    if (!step.sql || step.results >= step.sql->statements.size())
        return nullptr;
    return &step.sql->statements[step.results];
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
    std::size_t wanted = 0;
    for (;;) {
        // What came behind the login's ReadyForQuery is already there at the first round.
        if (target_in_.unread().empty() || wanted > 0 || target_started_) {
            auto filled = co_await target_in_.fill(wanted);
            if (!filled) {
                if (target_said_goodbye_ || client_left_)
                    co_return Result<void>();
                co_return failure(Fault::unavailable, "the connection to the target was lost");
            }
        }
        target_started_ = true;
        wanted = 0;
        Bytes unread = target_in_.unread();
        while (!unread.empty()) {
            if (target_rest_ > 0) {
                const Bytes part = unread.first(std::min<std::size_t>(target_rest_, unread.size()));
                to_client_.pass(part);
                target_rest_ -= part.size();
                unread = unread.subspan(part.size());
                continue;
            }
            CO_TRY(head, next_head(unread, session_.connection().message_limit));
            if (!head)
                break;
            if (head->size > unread.size()) {
                if (!may_stream(head->type) || masked()) {
                    wanted = static_cast<std::size_t>(head->size);
                    break;
                }
                own(conversation_.front());
                if (head->type == 'D' && conversation_.front() != nullptr)
                    CO_TRY_DONE(count_rows(*conversation_.front(), 1));
                target_rest_ = head->size;
                continue;
            }
            const Frame frame{
                head->type, unread.first(static_cast<std::size_t>(head->size)),
                unread.subspan(header_size, static_cast<std::size_t>(head->size) - header_size)};
            // The common message of bulk, without a coroutine of its own.
            if (frame.type == 'D' && !masked() && conversation_.front() != nullptr) {
                own(conversation_.front());
                CO_TRY_DONE(count_rows(*conversation_.front(), 1));
                to_client_.pass(frame.whole);
            } else {
                CO_TRY_DONE(co_await on_target_message(frame));
            }
            unread = unread.subspan(frame.whole.size());
        }
        attribute_run();
        owner_ = nullptr;
        auto permit = co_await session_.permit_to_show();
        if (!permit)
            co_return tl::unexpected(std::move(permit).error());
        if (!to_client_.empty()) {
            showing_ = true;
            CO_TRY_DONE(co_await client_.show(*permit, to_client_));
            showing_ = target_rest_ > 0;
        }
        to_client_.clear();
        target_in_.consume(target_in_.unread().size() - unread.size());
        if (conversation_.empty())
            settled_.cancel();
    }
}

void Relay::own(Step* step)
{
    if (step == owner_)
        return;
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

awaitable<Result<void>> Relay::on_target_message(const Frame& frame)
{
    Step* const step = conversation_.front();
    const bool hidden = step != nullptr && step->hidden;
    switch (frame.type) {
    case 'D': co_return on_row(frame);
    case 'T': co_return co_await on_row_description(frame);
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
        co_return Result<void>();
    case '1':
    case '2':
    case '3':
        pass(frame, step);
        own(nullptr);
        if (step != nullptr)
            conversation_.pop(true);
        co_return Result<void>();
    case 'C':
    case 'I':
    case 's': {
        pass(frame, step);
        if (step == nullptr)
            co_return Result<void>();
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
        co_return Result<void>();
    }
    case 'G':
        if (step != nullptr)
            step->copying_in = true;
        pass(frame, step);
        co_return Result<void>();
    case 'H': co_return co_await on_copy_out(frame);
    case 'd': co_return on_copy_row(frame);
    case 'c': pass(frame, step); co_return Result<void>();
    case 'W':
        if (!session_.connection().allow_replication || masked())
            co_return failure(Fault::refused, "streaming replication is not allowed here");
        if (step != nullptr)
            step->copying_in = step->copying_out = true;
        pass(frame, step);
        co_return Result<void>();
    case 'E': on_error(frame); co_return Result<void>();
    case 'N':
        if (masked() && (step == nullptr || touches_masked(step->sql.get(), nullptr)))
            say(scrubbed('N', frame.body), step);
        else
            pass(frame, step);
        co_return Result<void>();
    case 'A': on_notification(frame); co_return Result<void>();
    case 'S': on_parameter_status(frame); co_return Result<void>();
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
        co_return Result<void>();
    case 'Z': on_ready(frame); co_return Result<void>();
    default: break;
    }
    co_return failure(Fault::malformed, "the target sent a message that belongs nowhere, type " +
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
    static const ResultShape unannounced;
    const ResultShape* shape = &unannounced;
    if (step->shape)
        shape = &*step->shape;
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
    }
    if (only != nullptr)
        return statement_touches(*only);
    return std::any_of(sql->statements.begin(), sql->statements.end(),
                       [this](const Statement& statement) { return statement_touches(statement); });
}

awaitable<Result<std::shared_ptr<const Catalogue>>> Relay::catalogue()
{
    if (auto current = catalogue_source_.current())
        co_return current;
    co_return co_await catalogue_source_.read();
}

awaitable<Result<ResultShape>> Relay::shape_of(Bytes row_description, const Sql* sql,
                                               const Statement* statement)
{
    ResultShape shape;
    CO_TRY(fields, read_row_description(row_description));
    shape.fields = std::move(fields);
    CO_TRY(newest, co_await catalogue());
    std::shared_ptr<const Catalogue> known = newest;
    const auto unknown = [&known](const FieldShape& field) {
        return field.relation != 0 && known->sources(field.relation, field.attribute).empty();
    };
    if (std::any_of(shape.fields.begin(), shape.fields.end(), unknown)) {
        CO_TRY(again, co_await catalogue_source_.read());
        known = again;
    }
    const bool touched = touches_masked(sql, statement);
    std::vector<Column> columns;
    columns.reserve(shape.fields.size());
    for (const FieldShape& field : shape.fields) {
        Column column;
        column.label = field.label;
        if (field.relation != 0)
            column.sources = known->sources(field.relation, field.attribute);
        // A column of a relation that nobody knows could be anything; one without an origin is
        // hidden where the statement mentions what could be masked.
        column.traced =
            field.relation != 0
                ? !column.sources.empty() && !known->holds_values(field.relation, field.attribute)
                : !touched;
        columns.push_back(std::move(column));
    }
    CO_TRY(plan, session_.plan(columns));
    shape.plan = std::move(plan);
    co_return shape;
}

awaitable<Result<void>> Relay::on_row_description(const Frame& frame)
{
    Step* const step = conversation_.front();
    if (step == nullptr)
        co_return failure(Fault::malformed, "the target described a result nobody asked for");
    const Sql* sql = step->sql.get();
    if (step->kind == StepKind::describe_portal && step->portal)
        sql = step->portal->sql().get();
    if (masked() && step->kind != StepKind::describe_statement) {
        CO_TRY(shape, co_await shape_of(frame.body, sql, statement_under_way(*step)));
        if (step->kind == StepKind::describe_portal) {
            if (step->portal)
                step->portal->shape = std::make_shared<ResultShape>(std::move(shape));
        } else {
            step->shape = std::move(shape);
        }
    }
    if (step->kind == StepKind::query) {
        pass(frame, step);
        co_return Result<void>();
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
    co_return Result<void>();
}

awaitable<Result<void>> Relay::on_copy_out(const Frame& frame)
{
    Step* const step = conversation_.front();
    copy_rewriter_.reset();
    if (step == nullptr)
        co_return failure(Fault::malformed, "the target began a COPY that nobody asked for");
    step->copying_out = true;
    pass(frame, step);
    if (!masked())
        co_return Result<void>();

    BodyReader reader(frame.body);
    CopyTarget form;
    form.format = reader.u8() == 1 ? CopyTarget::Format::binary : CopyTarget::Format::text;
    const Statement* statement = statement_under_way(*step);
    if (statement != nullptr && statement->kind == StatementKind::copy_out)
        form = statement->copy;
    CO_TRY(known, co_await catalogue());
    const CatalogueRelation* relation =
        statement == nullptr || form.relation.name.empty() ? nullptr : known->find(form.relation);
    if (relation == nullptr) {
        const bool harmless = statement != nullptr && !touches_masked(step->sql.get(), statement) &&
                              form.relation.name.empty();
        if (!harmless)
            copy_rewriter_.emplace(form, MaskPlan(), std::vector<std::uint32_t>());
        co_return Result<void>();
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
            co_return Result<void>();
        }
        add(static_cast<std::size_t>(found - relation->columns.begin()));
    }
    CO_TRY(plan, session_.plan(columns));
    if (!plan.hides_nothing())
        copy_rewriter_.emplace(form, std::move(plan), std::move(types));
    co_return Result<void>();
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
        say(scrubbed('E', frame.body), step);
    else
        pass(frame, step);
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
    const std::size_t completed = std::min(step.results, step.sql->statements.size());
    for (std::size_t i = 0; i < completed; ++i) {
        const Statement& statement = step.sql->statements[i];
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
    own(nullptr);
    attribute_run();
    if (!masked() || !touched_before_) {
        session_.shown_unasked(frame.whole);
        pass(frame, nullptr);
        return;
    }
    // pg_notify() can carry any value this session has read.
    BodyReader reader(frame.body);
    const std::uint32_t process = reader.u32();
    const std::string_view channel = reader.text();
    std::string message;
    MessageWriter(message).begin('A').u32(process).text(channel).text("[masked]").end();
    session_.shown_unasked(to_client_.add(message));
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
