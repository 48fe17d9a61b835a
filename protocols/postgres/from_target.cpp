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

constexpr std::uint32_t text_type = 25;  // catalog/pg_type.dat

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
        if (step->copies)
            copied_.push_back(std::exchange(step->copies, nullptr));
        if (frame.type == 'C') {
            if (const Statement* statement = statement_under_way(*step))
                completed(*step, *statement);
        }
        ++step->results;
        step->copying_out = false;
        copy_rewriter_.reset();
        if (step->kind == StepKind::execute) {
            attribute_run();
            own(nullptr);
            conversation_.drop_swallowed_syncs();
            Step& done = *conversation_.front();
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
    case 'H': return on_copy_out(frame);
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
        if (hides_columns() && (step == nullptr || touches_masked(step->sql.get(), nullptr)))
            say_words(scrubbed('N', frame.body), step);
        else
            pass_words(frame, step);
        return Answered::done;
    case 'A': on_notification(frame); return Answered::done;
    case 'S': on_parameter_status(frame); return Answered::done;
    case 'V':
        // Large objects' handles and positions are no values; what is read of them may be.
        if (hides_columns() && (step == nullptr || step->name.empty() || step->name == "loread")) {
            std::string message;
            // Nothing, rather than NULL, which no reader of large objects expects.
            MessageWriter(message).begin('V').u32(0).end();
            if (step != nullptr && step->exchange)
                step->exchange->count_masked(1);
            say(message, step);
        } else {
            pass(frame, step);
        }
        if (step != nullptr)
            step->outcome = Outcome{true, "function call"};
        return Answered::done;
    case 'Z': return on_ready(frame, just_read);
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
    if (shape->passes()) {
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

bool Relay::touches_masked(const Sql* sql, const Statement* only)
{
    if (sql == nullptr || !sql->problem.empty())
        return true;
    // What these run was sent earlier in this session.
    const auto runs_earlier = [](const Statement& statement) {
        return statement.kind == StatementKind::execute || statement.kind == StatementKind::fetch ||
               statement.classes.contains(static_cast<std::size_t>(SqlClass::execute));
    };
    if (only != nullptr && sql->statements().size() > 1)
        return (touched_before_ && runs_earlier(*only)) || masks_.touched_by(*only);
    if (touched_before_ && std::ranges::any_of(sql->statements(), runs_earlier))
        return true;
    return masks_.touched_by(*sql);
}

Relay::Known Relay::known_of(const Sql* sql, const Statement* statement)
{
    if (sql == nullptr || !sql->problem.empty())
        return {nullptr, true};
    if (statement == nullptr && !sql->statements().empty())
        statement = &sql->statements().front();
    if (statement == nullptr)
        return {nullptr, true};
    const auto by_portal = [this](const std::string& name) -> Known {
        const auto portal = conversation_.portals.find(name);
        if (portal && portal->sql()->statements().size() == 1)
            return {portal->sql()->statements().front().lineage, false};
        return {nullptr, touched_before_};
    };
    switch (statement->kind) {
    case StatementKind::fetch: {
        const auto cursor = cursors_.find(statement->name);
        return cursor != cursors_.end() ? Known{cursor->second, false} : by_portal(statement->name);
    }
    case StatementKind::execute: {
        const auto prepared = conversation_.statements.find(statement->name);
        if (!prepared || prepared->sql->statements().empty())
            return {nullptr, touched_before_};
        // PREPARE may stand in a text of several statements.
        for (const Statement& one : prepared->sql->statements()) {
            if (one.kind == StatementKind::prepare && one.name == statement->name)
                return {one.lineage, false};
        }
        return {prepared->sql->statements().front().lineage, false};
    }
    default:
        // EXPLAIN EXECUTE
        if (!statement->name.empty() && statement->kind == StatementKind::explain)
            return {nullptr, touched_before_};
        return {statement->lineage, false};
    }
}

Result<std::shared_ptr<const ResultShape>> Relay::shape_of(Bytes row_description,
                                                           const Known& known,
                                                           const CatalogueReading& just_read)
{
    // A reading made for this very description may be newer than what the texts were read with.
    std::shared_ptr<Resolution> names = sqls_ ? sqls_->names() : nullptr;
    if (!names || (just_read && just_read != catalogue_))
        names = readings_.under(just_read ? just_read : catalogue_source_.current(), path_.now())
                    ->names();
    if (!names->catalogue() && !just_read)
        return nullptr;
    if (auto shape = shapes_.find(row_description, names, known.lineage, known.untraced))
        return shape;
    auto shape = std::make_shared<ResultShape>();
    TRY(fields, read_row_description(row_description));
    shape->fields = std::move(fields);
    auto traced = masks_.trace(shape->fields, known.lineage.get(), *names, known.untraced);
    // Made since the catalogue was read, perhaps.
    if (!traced.complete && !just_read)
        return nullptr;
    TRY(plan, session_.plan(traced.columns));
    shape->plan = std::move(plan);
    shape->net = net_;
    // A type of somebody's own that holds any text, as citext does, is shown as one.
    for (FieldShape& field : shape->fields) {
        const CatalogueType* own =
            names->catalogue() ? names->catalogue()->type(field.type) : nullptr;
        if (own != nullptr && own->category == 'S')
            field.type = text_type;
    }
    // What nobody knows yet is looked up again the next time: it may be committed by then.
    if (traced.complete)
        shapes_.keep(row_description, names, known.lineage, known.untraced, shape);
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
        TRY(shape, shape_of(frame.body, known_of(sql, statement_under_way(*step)), just_read));
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

Result<Relay::Answered> Relay::on_copy_out(const Frame& frame)
{
    Step* const step = conversation_.front();
    if (step == nullptr)
        return failure(Fault::malformed, "the target began a COPY that nobody asked for");
    copy_rewriter_.reset();
    step->copying_out = true;
    pass(frame, step);
    if (!masked())
        return Answered::done;

    BodyReader reader(frame.body);
    CopyTarget form;
    form.format = reader.u8() == 1 ? CopyTarget::Format::binary : CopyTarget::Format::text;
    const std::uint16_t count = reader.u16();
    const Statement* statement = statement_under_way(*step);
    if (statement == nullptr || statement->kind != StatementKind::copy_out) {
        copy_rewriter_.emplace(form, MaskPlan(), std::vector<std::uint32_t>());
        return Answered::done;
    }
    form = statement->copy;
    const Traced traced = traced_columns(*statement->lineage);
    const bool binary = form.format == CopyTarget::Format::binary;
    if (!traced.complete || traced.columns.size() != count) {
        if (touches_masked(step->sql.get(), statement) || !net_.empty())
            copy_rewriter_.emplace(form, MaskPlan(), std::vector<std::uint32_t>());
        return Answered::done;
    }
    // The columns' types are not announced: a column as it stands has its own, anything else is
    // taken for text where it is written as text.
    std::vector<std::uint32_t> types;
    for (const OutputColumn& output : statement->lineage->outputs) {
        std::uint32_t type = binary ? 0 : text_type;
        if (output.plain && !output.sources.empty())
            type = type_shown(output.sources.front()->type);
        types.push_back(type);
    }
    TRY(plan, session_.plan(traced.columns));
    if (!plan.hides_nothing() || !net_.empty())
        copy_rewriter_.emplace(form, std::move(plan), std::move(types), net_);
    return Answered::done;
}

// Of a domain, what it is made from; of a type that holds any text, text.
std::uint32_t Relay::type_shown(std::uint32_t type) const
{
    for (int depth = 0; catalogue_ && depth < 32; ++depth) {
        const CatalogueType* own = catalogue_->type(type);
        if (own == nullptr)
            break;
        if (own->kind != 'd' && own->category == 'S')
            return text_type;
        if (own->kind != 'd')
            break;
        type = own->base;
    }
    return type;
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

// What an error is about: a step's statement, or what the transaction has put off to its end.
bool Relay::may_quote_values(const Step* step)
{
    if (step == nullptr || step->kind == StepKind::function_call)
        return true;
    const Sql* sql = step->sql.get();
    if (step->portal)
        sql = step->portal->sql().get();
    else if (sql == nullptr && step->prepared)
        sql = step->prepared->sql.get();
    // Sync and Close run nothing but what was put off.
    if (sql == nullptr)
        return touched_before_;
    const auto ends = [](const Statement& statement) {
        return statement.kind == StatementKind::transaction || statement.kind == StatementKind::set;
    };
    return touches_masked(sql, nullptr) ||
           (touched_before_ && std::ranges::any_of(sql->statements(), ends));
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
    else if (hides_columns() && !target_said_goodbye_ && may_quote_values(step))
        say_words(scrubbed('E', frame.body), step);
    else
        pass_words(frame, step);
    copy_rewriter_.reset();
    path_.failed();
    failed_ = true;
    if (step == nullptr)
        return;
    if (step->copies)
        copied_.push_back(std::exchange(step->copies, nullptr));
    step->failed = true;
    step->outcome = Outcome{false, "ERROR " + sqlstate};
    if (step->kind == StepKind::query || step->kind == StepKind::sync ||
        step->kind == StepKind::function_call)
        return;  // ReadyForQuery follows
    attribute_run();
    own(nullptr);
    came_to_nothing(*step);
    for (auto& copies : conversation_.skip_to_sync())
        copied_.push_back(std::move(copies));
}

Result<Relay::Answered> Relay::on_ready(const Frame& frame, const CatalogueReading& just_read)
{
    Step* const step = conversation_.front();
    const char status = frame.body.empty() ? 'I' : static_cast<char>(frame.body[0]);
    // What was made and filled with masked values is known by its name only: it must be known for
    // itself before anybody renames it.
    if (status == 'I' && catalogue_touched_ && !copied_.empty() && !failed_ && !just_read) {
        catalogue_source_.changes().count.fetch_add(1);
        return Answered::catalogue_wanted;
    }
    pass(frame, step);
    if (step != nullptr) {
        came_to_nothing(*step);
        attribute_run();
        own(nullptr);
        if (step->exchange)
            std::exchange(step->exchange, std::nullopt)->finish(step->outcome);
        conversation_.pop(true);
    }
    path_.ready(status);
    if (status == 'I') {
        failed_ ? copies_are_gone() : copies_stay();
        conversation_.portals.clear();
        if (std::exchange(catalogue_touched_, false) && !just_read)
            catalogue_source_.changes().count.fetch_add(1);
    }
    return Answered::done;
}

// One statement of a text has completed.
void Relay::completed(const Step& step, const Statement& statement)
{
    catalogue_touched_ = catalogue_touched_ || statement.changes_catalogue;
    if (statement.path)
        path_.completed(*statement.path);
    switch (statement.ends) {
    // COMMIT of a transaction that has failed says ROLLBACK.
    case TransactionEnd::commit:
        if (step.outcome.summary == "COMMIT") {
            path_.committed();
            copies_stay();
        } else {
            path_.rolled_back();
            copies_are_gone();
        }
        break;
    case TransactionEnd::rollback:
        path_.rolled_back();
        copies_are_gone();
        break;
    case TransactionEnd::rollback_to: path_.rolled_back_to_savepoint(); break;
    case TransactionEnd::none:
        // A procedure or block may end transactions within.
        if (statement.path &&
            statement.classes.contains(static_cast<std::size_t>(SqlClass::transaction)))
            path_.lost();
        break;
    }
    switch (statement.kind) {
    case StatementKind::prepare:
        conversation_.statements.set(statement.name, prepared_by(step.sql));
        break;
    case StatementKind::deallocate:
        if (statement.name.empty())
            conversation_.statements.clear();
        else
            conversation_.statements.erase(statement.name);
        break;
    case StatementKind::declare: {
        constexpr std::size_t most_cursors = 1000;
        if (cursors_.size() >= most_cursors)
            cursors_.clear();  // those forgotten are known by their origins only
        cursors_[statement.name] = statement.lineage;
        break;
    }
    default: break;
    }
}

void Relay::copies_stay()
{
    copied_.clear();
    failed_ = false;
}

// A mask need not go where nothing went.
void Relay::copies_are_gone()
{
    for (const auto& copies : copied_)
        derived_.take_back(*copies);
    copied_.clear();
    failed_ = false;
}

// The step is over: what its text would have done and did not, it will not do.
void Relay::came_to_nothing(const Step& step)
{
    if (!step.sql)
        return;
    const auto& statements = step.sql->statements();
    for (std::size_t i = step.results; step.exchange && i < statements.size(); ++i) {
        if (statements[i].path)
            path_.came_to_nothing();
    }
    // What the gateway cannot read may have changed anything.
    if (!step.sql->problem.empty()) {
        catalogue_touched_ = true;
        path_.lost();
    }
}

void Relay::on_notification(const Frame& frame)
{
    BodyReader reader(frame.body);
    const std::uint32_t process = reader.u32();
    // pg_notify() can carry any value its session has read.
    const bool own = process == cancel_key_.process;
    const bool tainted = own ? touched_before_ : catalogue_source_.changes().values_sunk.load();
    if (!hides_columns() || !tainted) {
        pass_words(frame, nullptr);
        return;
    }
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
    if (!hides_columns() || !touched_before_ || !free_text || typed) {
        pass(frame, step);
        return;
    }
    std::string message;
    MessageWriter(message).begin('S').text(name).text("[masked]").end();
    say(message, step);
}

}  // namespace sallyport::postgres
