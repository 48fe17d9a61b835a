// The relay's loop from the client to the target: understand, decide, record, forward.

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>
#include <utility>

#include "protocols/postgres/message.h"
#include "protocols/postgres/parameters.h"
#include "protocols/postgres/read_only_text.h"
#include "protocols/postgres/refusal.h"
#include "protocols/postgres/relay.h"
#include "protocols/postgres/replication_command.h"
#include "protocols/postgres/resolution.h"
#include "protocols/postgres/utf8.h"
#include "protocols/postgres/value_functions.h"

namespace sallyport::postgres {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

// Messages under way to the target and not yet answered, before the client has to wait.
constexpr std::size_t pipeline_limit = 10000;

std::string flush_message()
{
    std::string message;
    MessageWriter(message).begin('H').end();
    return message;
}

std::string quoted_identifier(std::string_view name)
{
    std::string quoted = "\"";
    for (const char c : name) {
        if (c == '"')
            quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

// A literal change of how texts are read.
bool sets_reading(const Sql& sql)
{
    for (const Statement& statement : sql.statements())
        for (const std::string& setting : statement.settings)
            if (setting == "standard_conforming_strings" || setting == "client_encoding")
                return true;
    return false;
}

// A change of how texts are read, or of a setting that only the target knows.
bool changes_reading(const Sql& sql)
{
    if (sets_reading(sql))
        return true;
    for (const Statement& statement : sql.statements())
        for (const std::string& setting : statement.settings)
            if (setting == "*")
                return true;
    return false;
}

// A refusal tells people that the text could not be read, where that is the reason.
Error explained(Error why, const Sql& sql)
{
    if (why.fault == Fault::refused && !sql.problem.empty())
        why.detail += " (" + sql.problem + ")";
    return why;
}

// BEGIN, SET TRANSACTION and their like, and nothing else.
bool sets_only_modes(const Sql& sql)
{
    return std::ranges::all_of(sql.statements(), [](const Statement& statement) {
        return statement.kind == StatementKind::transaction || statement.kind == StatementKind::set;
    });
}

bool copies_in(const Sql& sql)
{
    for (const Statement& statement : sql.statements())
        if (statement.kind == StatementKind::copy_in)
            return true;
    return false;
}

// Whether an Error leaves the session without a way on.
bool ends_session(const Error& why)
{
    return why.fault == Fault::unrecorded;
}

}  // namespace

awaitable<Result<void>> Relay::from_client()
{
    for (;;) {
        // What needs no wait is done in the stream's turns; here is what has to.
        Result<Pause> pause = Pause::none;
        CO_TRY_DONE(co_await client_stream_.while_readable([this, &pause] {
            pause = client_turn();
            return pause && *pause == Pause::none;
        }));
        while (pause && (*pause == Pause::settle_first || *pause == Pause::full ||
                         *pause == Pause::catalogue || *pause == Pause::remember)) {
            // A Flush makes the target answer what it has, and changes nothing else.
            const bool settles = *pause == Pause::settle_first || *pause == Pause::full;
            if (settles)
                to_target_.add(flush_message());
            CO_TRY_DONE(co_await forward());
            if (settles)
                CO_TRY_DONE(co_await settle());
            if (*pause == Pause::catalogue)
                co_await read_catalogue();
            if (*pause == Pause::remember)
                CO_TRY_DONE(co_await remember());
            pause = take_messages();
        }
        CO_TRY(why, std::move(pause));
        if (why == Pause::client_left) {
            // The target is told, finishes what it has begun as it would for a client of its own,
            // and then closes.
            std::string terminate;
            MessageWriter(terminate).begin('X').end();
            to_target_.add(terminate);
        }
        CO_TRY_DONE(co_await forward());
        if (why == Pause::client_left || why == Pause::ended) {
            client_left_ = true;
            CO_TRY_DONE(co_await settle());
            co_return Result<void>();
        }
    }
}

Result<Relay::Pause> Relay::client_turn()
{
    const auto filled = client_in_.fill_now(client_wanted_);
    if (!filled) {
        client_left_ = true;
        if (client_rest_ > 0)
            return tl::unexpected(filled.error());
        return Pause::client_left;
    }
    if (!*filled)
        return Pause::none;
    last_message_ = std::chrono::steady_clock::now();
    return take_messages();
}

Result<Relay::Pause> Relay::take_messages()
{
    client_wanted_ = 0;
    for (;;) {
        const Bytes unread = client_in_.unread();
        if (client_rest_ > 0) {
            const Bytes part = unread.first(std::min<std::size_t>(client_rest_, unread.size()));
            if (part.empty())
                break;
            on_copy_data(part);
            to_target_.pass(part);
            client_rest_ -= part.size();
            client_in_.consume(part.size());
            continue;
        }
        TRY(head, next_head(unread, session_.connection().message_limit));
        if (!head)
            break;
        if (head->size > unread.size() && head->type == 'd' && !skipping_) {
            client_rest_ = head->size;
            continue;
        }
        if (head->size > unread.size()) {
            client_wanted_ = static_cast<std::size_t>(head->size);
            break;
        }
        const Frame frame = frame_of(*head, unread);
        TRY(next, on_client_message(frame));
        if (next == Next::settle_first)
            return Pause::settle_first;
        if (next == Next::catalogue)
            return Pause::catalogue;
        if (next == Next::remember)
            return Pause::remember;
        just_read_ = false;
        client_in_.consume(frame.whole.size());
        if (next == Next::ended)
            return Pause::ended;
        if (conversation_.size() > pipeline_limit)
            return Pause::full;
    }
    TRY(forwarded, forward_now());
    return forwarded ? Pause::none : Pause::forward;
}

Result<bool> Relay::forward_now()
{
    to_target_.end_run();
    if (to_target_.empty())
        return true;
    const auto permit = session_.forward_permit_now();
    if (!permit)
        return false;
    TRY(all, target_.forward_now(*permit, to_target_, forwarded_));
    if (all)
        forwarded_all();
    return all;
}

void Relay::forwarded_all()
{
    to_target_.clear();
    forwarded_ = 0;
}

awaitable<Result<void>> Relay::forward()
{
    to_target_.end_run();
    if (to_target_.empty())
        co_return Result<void>();
    auto permit = co_await session_.permit_to_forward();
    if (!permit)
        co_return tl::unexpected(std::move(permit).error());
    CO_TRY_DONE(co_await target_.forward(*permit, to_target_, forwarded_));
    forwarded_all();
    co_return Result<void>();
}

awaitable<Result<void>> Relay::settle()
{
    while (!conversation_.empty()) {
        boost::system::error_code ignored;
        co_await settled_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_return Result<void>();
}

// Whether texts can be read with what is known of names now.
bool Relay::names_ready()
{
    auto newest = catalogue_source_.current();
    // Then they only say how a statement is recorded, and a reading after all DDL costs too much.
    if (!newest && session_.is_unrestricted(sql_vocabulary()))
        newest = catalogue_source_.last();
    if (!newest && std::chrono::steady_clock::now() >= no_catalogue_until_)
        return false;
    if (newest && newest != catalogue_)
        own_changed_ = own_.forget_known(*newest) || own_changed_;
    if (sqls_ && newest == catalogue_ && path_version_ == path_.version() && !own_changed_)
        return true;
    catalogue_ = std::move(newest);
    path_version_ = path_.version();
    own_changed_ = false;
    sqls_ = own_.relations().empty() ? readings_.under(catalogue_, path_.now())
                                     : readings_.alone(catalogue_, path_.now(), own_.relations());
    return true;
}

// A name that nobody knows may have been made since, by somebody who does not come through here.
bool Relay::wants_catalogue(const Sql& sql) const
{
    const auto unknown = [](const Statement& statement) {
        return statement.unknown_names || statement.lineage->unknown_names;
    };
    return !just_read_ && catalogue_ && std::ranges::any_of(sql.statements(), unknown) &&
           !session_.is_unrestricted(sql_vocabulary());
}

awaitable<void> Relay::read_catalogue()
{
    const auto read = co_await catalogue_source_.read();
    just_read_ = true;
    if (read)
        co_return;
    // Then functions that are not built in are opaque, and what comes from tables is not traced.
    constexpr std::chrono::seconds pause{5};
    no_catalogue_until_ = std::chrono::steady_clock::now() + pause;
    spdlog::warn("session={} event=catalogue_unread reason=\"{}\"", to_string(session_.id()),
                 read.error().detail);
}

// Values of a column that somebody's mask names go to another: the mask has to be known to go there
// before they do.
bool Relay::has_to_remember(const Sql& sql)
{
    const auto copies = [](const Statement& statement) { return !statement.derived.empty(); };
    if (std::ranges::none_of(sql.statements(), copies) || !session_.allows(sql.command))
        return false;
    to_remember_.clear();
    for (const Statement& statement : sql.statements()) {
        for (DerivedColumn column : statement.derived) {
            // Nobody else reads it, and own_ knows.
            if (column.schema == "pg_temp")
                continue;
            std::erase_if(column.places, [this](const std::string& place) {
                return place != untraced_place && !session_.masked_for_anyone(place);
            });
            if (!column.places.empty())
                to_remember_.push_back(std::move(column));
        }
    }
    if (to_remember_.empty())
        return false;
    // Else it is the message that was held back for it, and read again. Every message asks for
    // itself: what one before it has asked for is taken back where that one fails.
    return !just_kept_ || *just_kept_ != to_remember_;
}

namespace {

awaitable<Result<bool>> kept(DerivedColumns& derived, std::vector<DerivedColumn> columns)
{
    co_return derived.add(columns);
}

}  // namespace

awaitable<Result<void>> Relay::remember()
{
    auto keeping = kept(derived_, to_remember_);
    auto outcome = co_await asio::co_spawn(disk_, std::move(keeping), asio::use_awaitable);
    if (!outcome)
        co_return tl::unexpected(std::move(outcome).error());
    // The message is being read again, with what was just remembered.
    if (just_kept_)
        derived_.take_back(*just_kept_);
    just_kept_ = std::make_shared<const std::vector<DerivedColumn>>(std::move(to_remember_));
    to_remember_.clear();
    co_return Result<void>();
}

// What is under way now may change what names mean.
void Relay::begun(const Sql& sql)
{
    for (const Statement& statement : sql.statements()) {
        if (statement.path)
            path_.begun();
        if (!statement.lineage->made.empty() || !statement.derived.empty())
            own_changed_ = own_.take(statement) || own_changed_;
        const auto is_masked = [this](const CatalogueColumn* column) {
            return column == untraced() || column->holds_values ||
                   std::ranges::any_of(column->places, [this](const std::string& place) {
                       return session_.masked_for_anyone(place);
                   });
        };
        if (std::ranges::any_of(statement.lineage->sunk, is_masked))
            catalogue_source_.changes().values_sunk = true;
        // Nobody knows what it has set.
        if (statement.classes.contains(static_cast<std::size_t>(SqlClass::opaque)) ||
            std::ranges::find(statement.settings, "*") != statement.settings.end())
            path_.lost();
    }
    // What a later FETCH or EXECUTE runs was sent in this session.
    if (hides_columns() && !touched_before_)
        touched_before_ = touches_masked(&sql, nullptr);
}

std::shared_ptr<const Sql> Relay::read(std::string_view text)
{
    // Gateway and target must read the same characters (docs/threat-model.md).
    if (!standard_strings_ || !utf8_ || conversation_.reading_may_change())
        return opaque_sql(text,
                          "standard_conforming_strings is off or client_encoding is not UTF8, so "
                          "the gateway cannot be sure to read this text as the target does");
    if (replication_ && is_replication_command(text) && is_utf8(text))
        return read_replication_command(text);
    return sqls_->find_or_read(text);
}

std::optional<Error> Relay::forbidden(const Sql& sql)
{
    if (sets_reading(sql)) {
        // Everything after it would be opaque: where the policy refuses that, it is refused here.
        if (!opaque_)
            opaque_ = opaque_sql("", "any text")->command;
        if (!session_.allows(opaque_))
            return Error{Fault::refused,
                         "client_encoding stays UTF8 and standard_conforming_strings on: the "
                         "gateway could not read what follows as the target does"};
    }
    const bool only_modes = sets_only_modes(sql);
    for (const Statement& statement : sql.statements()) {
        if (read_only_ && (statement.asks_to_write || (statement.has_mode_write && !only_modes)))
            return Error{Fault::refused,
                         "the session stays read-only, for the policy allows nothing but reading"};
    }
    if (!masked())
        return std::nullopt;
    if (replication_ && is_replication_command(sql.command->text))
        return Error{Fault::refused,
                     "replication sends whole rows and files, in which nothing can be masked"};
    for (const Statement& statement : sql.statements()) {
        if (auto why = masks_.forbids(statement))
            return Error{Fault::refused, std::move(*why)};
    }
    return std::nullopt;
}

Result<Relay::Next> Relay::on_client_message(const Frame& frame)
{
    if (skipping_ && frame.type != 'S' && frame.type != 'X')
        return Next::more;  // as the server does between an error and Sync
    switch (frame.type) {
    case 'Q': return on_query(frame);
    case 'P': return on_parse(frame);
    case 'B': return on_bind(frame);
    case 'D': return on_describe(frame);
    case 'E': return on_execute(frame);
    case 'C': return on_close(frame);
    case 'F': return on_function_call(frame);
    case 'S': {
        skipping_ = false;
        Step step;
        step.kind = StepKind::sync;
        conversation_.push(std::move(step));
        to_target_.pass(frame.whole);
        return Next::more;
    }
    case 'H': to_target_.pass(frame.whole); return Next::more;
    case 'd': on_copy_data(frame.body); [[fallthrough]];
    case 'c':
    case 'f':
        conversation_.data_sent();
        to_target_.pass(frame.whole);
        return Next::more;
    case 'X': to_target_.pass(frame.whole); return Next::ended;
    default:
        return failure(Fault::malformed,
                       "invalid frontend message type " +
                           std::to_string(static_cast<unsigned char>(frame.type)));
    }
}

Result<Relay::Next> Relay::on_query(const Frame& frame)
{
    BodyReader reader(frame.body);
    const std::string_view text = reader.text();
    if (reader.failed() || !reader.rest().empty())
        return refuse_query(malformed("Query"));
    if (!names_ready())
        return Next::catalogue;
    Step step;
    step.kind = StepKind::query;
    step.sql = read(text);
    if (wants_catalogue(*step.sql))
        return Next::catalogue;
    if (executes_uncertain(*step.sql))
        return Next::settle_first;
    step.sql = with_prepared(std::move(step.sql));
    const auto forbids = forbidden(*step.sql);
    if (!forbids && has_to_remember(*step.sql))
        return Next::remember;
    auto exchange = forbids ? Result<Exchange>(tl::unexpected(
                                  session_.refuse(step.sql->command, {}, forbids->detail)))
                            : session_.begin(step.sql->command, {});
    if (!exchange) {
        // psql before 15.19 reads the data lines that follow as commands (CVE-2026-6464): only a
        // closed connection is safe.
        if (copies_in(*step.sql))
            return tl::unexpected(explained(std::move(exchange).error(), *step.sql));
        return refuse_query(explained(std::move(exchange).error(), *step.sql));
    }
    step.exchange.emplace(std::move(*exchange));
    step.changes_reading = changes_reading(*step.sql);
    step.copies = std::exchange(just_kept_, nullptr);
    begun(*step.sql);
    pass_text(frame, text, *step.sql);
    conversation_.push(std::move(step));
    return Next::more;
}

// A Query or Parse; the text lies within the frame.
void Relay::pass_text(const Frame& frame, std::string_view text, const Sql& sql)
{
    if (!read_only_ || std::ranges::none_of(sql.statements(), &Statement::has_mode_write)) {
        to_target_.pass(frame.whole);
        return;
    }
    const auto* const begin = reinterpret_cast<const char*>(frame.whole.data());
    std::string message(begin, frame.whole.size());
    message.replace(static_cast<std::size_t>(text.data() - begin), text.size(),
                    read_only_text(text));
    to_target_.add(message);
}

Error Relay::malformed(std::string_view message)
{
    const auto command = opaque_sql("", "a broken " + std::string(message) + " message")->command;
    Error why = session_.refuse(command, {}, "invalid " + std::string(message) + " message");
    if (why.fault == Fault::refused)
        why.fault = Fault::malformed;
    return why;
}

Result<Relay::Next> Relay::refuse_query(Error why)
{
    if (ends_session(why))
        return tl::unexpected(std::move(why));
    Step step;
    step.kind = StepKind::query;
    step.refusal = std::make_unique<Error>(std::move(why));
    conversation_.push(std::move(step));
    to_target_.add(failing_query());
    return Next::more;
}

Result<Relay::Next> Relay::refuse_extended(Error why, bool unnamed_parse)
{
    if (ends_session(why))
        return tl::unexpected(std::move(why));
    Step step;
    step.kind = StepKind::parse;
    step.refusal = std::make_unique<Error>(std::move(why));
    conversation_.push(std::move(step));
    to_target_.add(failing_parse(unnamed_parse));
    skipping_ = true;
    return Next::more;
}

Result<Relay::Next> Relay::on_parse(const Frame& frame)
{
    BodyReader reader(frame.body);
    const std::string_view name = reader.text();
    const std::string_view text = reader.text();
    auto prepared = std::make_shared<Prepared>();
    for (std::uint16_t left = reader.u16(); left > 0 && !reader.failed(); --left)
        prepared->parameter_types.push_back(reader.u32());
    if (reader.failed() || !reader.rest().empty())
        return refuse_extended(malformed("Parse"), false);
    Step step;
    step.kind = StepKind::parse;
    step.name = name;
    if (conversation_.statements.uncertain(step.name))
        return Next::settle_first;
    if (!names_ready())
        return Next::catalogue;
    step.sql = read(text);
    if (wants_catalogue(*step.sql))
        return Next::catalogue;
    if (executes_uncertain(*step.sql))
        return Next::settle_first;
    step.sql = with_prepared(with_parameters(std::move(step.sql), prepared->parameter_types));
    const auto forbids = forbidden(*step.sql);
    if (forbids)
        return refuse_extended(session_.refuse(step.sql->command, {}, forbids->detail),
                               name.empty());
    // Decided here and again at Execute: planning alone can run functions.
    if (!session_.allows(step.sql->command)) {
        auto refused = session_.begin(step.sql->command, {});
        if (!refused)
            return refuse_extended(explained(std::move(refused).error(), *step.sql), name.empty());
    }
    prepared->sql = step.sql;
    step.prepared = std::move(prepared);
    pass_text(frame, text, *step.sql);
    conversation_.push(std::move(step));
    return Next::more;
}

// A type that only a parameter has.
std::shared_ptr<const Sql> Relay::with_parameters(std::shared_ptr<const Sql> sql,
                                                  const std::vector<std::uint32_t>& types) const
{
    const auto casts = [this](std::uint32_t type) {
        return sqls_->names()->is_cast_unwritten(type);
    };
    if (std::ranges::none_of(types, casts))
        return sql;
    return opaque_sql(sql->command->text, "a parameter has a type whose casts run code");
}

// The server looks names up again where the catalogue or the search path has changed since.
std::shared_ptr<const Prepared> Relay::as_of_now(std::shared_ptr<const Prepared> prepared)
{
    if (!prepared || prepared->sql->names == sqls_->names() || !prepared->sql->names)
        return prepared;
    auto fresh = std::make_shared<Prepared>(*prepared);
    fresh->sql = with_prepared(
        with_parameters(read(prepared->sql->command->text), prepared->parameter_types));
    return fresh;
}

bool Relay::executes_uncertain(const Sql& sql) const
{
    return std::ranges::any_of(sql.statements(), [this](const Statement& statement) {
        return statement.classes.contains(static_cast<std::size_t>(SqlClass::execute)) &&
               conversation_.statements.uncertain(statement.name);
    });
}

// EXECUTE does what was prepared.
std::shared_ptr<const Sql> Relay::with_prepared(std::shared_ptr<const Sql> sql)
{
    std::shared_ptr<Command> command;
    for (const Statement& statement : sql->statements()) {
        if (!statement.classes.contains(static_cast<std::size_t>(SqlClass::execute)) ||
            statement.name.empty())
            continue;
        const auto prepared = as_of_now(conversation_.statements.find(statement.name));
        if (!prepared)
            continue;
        if (!command)
            command = std::make_shared<Command>(*sql->command);
        Actions actions = command->actions();
        const Actions& more = prepared->sql->command->actions();
        actions.insert(actions.end(), more.begin(), more.end());
        command->shared_actions = std::make_shared<const Actions>(std::move(actions));
    }
    if (!command)
        return sql;
    auto both = std::make_shared<Sql>(*sql);
    both->command = std::move(command);
    return both;
}

std::shared_ptr<const Prepared> Relay::prepared_by_sql(const std::string& text)
{
    auto prepared = std::make_shared<Prepared>();
    prepared->sql = read(text);
    return prepared;
}

Result<Relay::Next> Relay::on_bind(const Frame& frame)
{
    auto read_message = read_bind(frame.body);
    if (!read_message)
        return refuse_extended(malformed("Bind"), false);
    BindMessage& bind = *read_message;
    const std::string statement(bind.statement);
    Step step;
    step.kind = StepKind::bind;
    step.name = bind.portal;
    if (conversation_.statements.uncertain(statement) || conversation_.portals.uncertain(step.name))
        return Next::settle_first;
    if (!names_ready())
        return Next::catalogue;
    auto portal = std::make_shared<Portal>();
    portal->prepared = as_of_now(conversation_.statements.find(statement));
    // Made by an SQL PREPARE that is not known here, or not there at all: then the target says so.
    if (!portal->prepared)
        portal->prepared = prepared_by_sql("EXECUTE " + quoted_identifier(statement));
    portal->parameters =
        recorded_parameters(bind, portal->prepared->parameter_types,
                            hides_columns() && touches_masked(portal->sql().get(), nullptr));
    portal->result_formats = std::move(bind.result_formats);
    step.portal = std::move(portal);
    conversation_.push(std::move(step));
    to_target_.pass(frame.whole);
    return Next::more;
}

Result<Relay::Next> Relay::on_describe(const Frame& frame)
{
    BodyReader reader(frame.body);
    const std::uint8_t what = reader.u8();
    Step step;
    step.name = reader.text();
    if (reader.failed() || !reader.rest().empty() || (what != 'S' && what != 'P'))
        return refuse_extended(malformed("Describe"), false);
    step.kind = what == 'S' ? StepKind::describe_statement : StepKind::describe_portal;
    if (what == 'P') {
        if (conversation_.portals.uncertain(step.name))
            return Next::settle_first;
        step.portal = conversation_.portals.find(step.name);
        if (step.portal)
            step.portal->describe_asked = true;
    }
    if (what == 'S') {
        if (conversation_.statements.uncertain(step.name))
            return Next::settle_first;
        step.prepared = conversation_.statements.find(step.name);
    }
    conversation_.push(std::move(step));
    to_target_.pass(frame.whole);
    return Next::more;
}

Result<Relay::Next> Relay::on_execute(const Frame& frame)
{
    BodyReader reader(frame.body);
    Step step;
    step.kind = StepKind::execute;
    step.name = reader.text();
    reader.u32();  // the most rows to return
    if (reader.failed() || !reader.rest().empty())
        return refuse_extended(malformed("Execute"), false);
    if (conversation_.portals.uncertain(step.name))
        return Next::settle_first;
    if (!names_ready())
        return Next::catalogue;
    step.portal = conversation_.portals.find(step.name);
    if (!step.portal) {
        // A cursor of SQL's DECLARE is a portal too.
        step.portal = std::make_shared<Portal>();
        step.portal->prepared = prepared_by_sql("FETCH ALL FROM " + quoted_identifier(step.name));
    }
    // Names may have changed their meaning since Bind.
    step.portal->prepared = as_of_now(step.portal->prepared);
    step.sql = step.portal->sql();
    if (has_to_remember(*step.sql))
        return Next::remember;
    const Bytes parameters = bytes_of(step.portal->parameters);
    auto exchange = session_.begin(step.sql->command,
                                   std::span(&parameters, step.portal->parameters.empty() ? 0 : 1));
    if (!exchange)
        return refuse_extended(std::move(exchange).error(), false);
    step.exchange.emplace(std::move(*exchange));
    step.changes_reading = changes_reading(*step.sql);
    step.copies = std::exchange(just_kept_, nullptr);
    begun(*step.sql);
    if (masked() && !step.portal->describe_asked) {
        // The masks follow the description in force at this moment, asked for or not.
        step.portal->describe_asked = true;
        Step describe;
        describe.kind = StepKind::describe_portal;
        describe.hidden = true;
        describe.name = step.name;
        describe.portal = step.portal;
        conversation_.push(std::move(describe));
        std::string message;
        MessageWriter(message).begin('D').u8('P').text(step.name).end();
        to_target_.add(message);
    }
    conversation_.push(std::move(step));
    to_target_.pass(frame.whole);
    return Next::more;
}

Result<Relay::Next> Relay::on_close(const Frame& frame)
{
    BodyReader reader(frame.body);
    const std::uint8_t what = reader.u8();
    Step step;
    step.kind = StepKind::close;
    step.name = reader.text();
    step.names_statement = what == 'S';
    if (reader.failed() || !reader.rest().empty() || (what != 'S' && what != 'P'))
        return refuse_extended(malformed("Close"), false);
    if (step.names_statement ? conversation_.statements.uncertain(step.name)
                             : conversation_.portals.uncertain(step.name))
        return Next::settle_first;
    conversation_.push(std::move(step));
    to_target_.pass(frame.whole);
    return Next::more;
}

Result<Relay::Next> Relay::on_function_call(const Frame& frame)
{
    BodyReader reader(frame.body);
    const std::uint32_t oid = reader.u32();
    if (reader.failed())
        return refuse_query(malformed("FunctionCall"));
    if (!names_ready())
        return Next::catalogue;
    Step step;
    step.kind = StepKind::function_call;
    step.name = large_object_function(oid);
    auto exchange = session_.begin(function_call(oid), {});
    if (!exchange)
        return refuse_query(std::move(exchange).error());
    step.exchange.emplace(std::move(*exchange));
    conversation_.push(std::move(step));
    to_target_.pass(frame.whole);
    return Next::more;
}

// The fast-path message has an OID where SQL has a name.
std::shared_ptr<const Command> Relay::function_call(std::uint32_t oid)
{
    auto command = std::make_shared<Command>();
    command->vocabulary = &sql_vocabulary();
    std::string name = std::to_string(oid);
    Actions actions;
    if (const std::string_view built_in = large_object_function(oid); !built_in.empty()) {
        name = built_in;
        // What SELECT lo_open(...) would be.
        const auto sql = read_sql("SELECT " + name + "()", sqls_->names());
        actions = sql->command->actions();
    } else if (const CatalogueFunction* known = catalogue_ ? catalogue_->function(oid) : nullptr) {
        name = known->schema + "." + known->name;
        Doings doings;
        doings.calls.push_back(known);
        sqls_->names()->follow(doings);
        actions = std::move(doings.actions);
        actions.push_back(
            {static_cast<std::uint8_t>(SqlClass::call), name, "FunctionCall message"});
    } else {
        actions.push_back({static_cast<std::uint8_t>(SqlClass::call), {}, "FunctionCall message"});
        actions.push_back(
            {static_cast<std::uint8_t>(SqlClass::opaque), {}, "a function known by its OID only"});
    }
    command->text = "fast-path call of function " + name;
    command->shared_actions = std::make_shared<const Actions>(std::move(actions));
    return command;
}

void Relay::on_copy_data(Bytes bytes)
{
    conversation_.data_sent();
    Step* step = conversation_.newest_exchange();
    if (step == nullptr)
        return;  // the target ignores data that no COPY asked for
    if (masked())
        step->exchange->sent_unseen(bytes);
    else
        step->exchange->sent(bytes);
}

}  // namespace sallyport::postgres
