#include "protocols/postgres/catalogue_reader.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <functional>
#include <utility>

#include "protocols/postgres/frame.h"
#include "protocols/postgres/inbox.h"
#include "protocols/postgres/message.h"
#include "protocols/postgres/result_shape.h"
#include "protocols/postgres/statement.h"
#include "protocols/postgres/target_login.h"

namespace sallyport::postgres {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

constexpr std::chrono::seconds login_deadline{10};
constexpr std::chrono::seconds longest_age{60};
constexpr std::chrono::seconds shortest_age{1};
constexpr std::uint64_t message_limit = std::uint64_t{64} << 20;

constexpr std::string_view columns_query =
    "SELECT c.oid, n.nspname, c.relname, c.relkind, a.attnum, a.attname, a.atttypid"
    " FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid"
    " AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped"
    " WHERE c.relkind IN ('r','v','m','f','p') ORDER BY c.oid, a.attnum";
constexpr std::string_view parents_query = "SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits";
constexpr std::string_view view_columns_query =
    "SELECT DISTINCT r.ev_class, d.refobjid, d.refobjsubid FROM pg_catalog.pg_rewrite r"
    " JOIN pg_catalog.pg_depend d ON d.objid OPERATOR(pg_catalog.=) r.oid"
    " AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass"
    " AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"
    " WHERE r.rulename OPERATOR(pg_catalog.=) '_RETURN'";
constexpr std::string_view view_texts_query =
    "SELECT c.oid, pg_catalog.pg_get_viewdef(c.oid) FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
    " WHERE c.relkind IN ('v','m') AND n.nspname NOT IN ('pg_catalog','information_schema')";

using Row = std::vector<std::string_view>;

// Runs one query whose rows are handed on one by one; views are valid for the call only.
awaitable<Result<void>> each_row(Stream& stream, Inbox& inbox, std::string_view sql,
                                 const std::function<void(const Row&)>& take)
{
    std::string query;
    MessageWriter(query).begin('Q').text(sql).end();
    CO_TRY_DONE(co_await stream.write(bytes_of(query)));
    Row row;
    std::string problem;
    for (;;) {
        CO_TRY(frame, next_frame(inbox.unread(), message_limit));
        if (!frame) {
            CO_TRY_DONE(co_await inbox.fill());
            continue;
        }
        if (frame->type == 'D') {
            BodyReader reader(frame->body);
            row.clear();
            for (std::uint16_t left = reader.u16(); left > 0; --left) {
                const std::uint32_t length = reader.u32();
                row.push_back(length == 0xffffffffU ? std::string_view()
                                                    : text_of(reader.bytes(length)));
            }
            if (reader.failed())
                co_return failure(Fault::malformed, "the target sent a broken row");
            take(row);
        }
        if (frame->type == 'E') {
            auto diagnostic = read_diagnostic(frame->body);
            problem = diagnostic ? std::string(diagnostic->field('M')) : "unreadable error";
        }
        const bool ready = frame->type == 'Z';
        inbox.consume(frame->whole.size());
        if (ready)
            break;
    }
    if (!problem.empty())
        co_return failure(Fault::unavailable,
                          "the target's catalogue could not be read: " + problem);
    co_return Result<void>();
}

// Where the target says that each output column of a query comes from. Describes without running;
// nothing where the query cannot be described.
awaitable<Result<std::vector<std::pair<std::uint32_t, int>>>> origins_of(Stream& stream,
                                                                         Inbox& inbox,
                                                                         const std::string& query)
{
    std::string messages;
    MessageWriter(messages).begin('P').text("").text(query).u16(0).end();
    MessageWriter(messages).begin('D').u8('S').text("").end();
    MessageWriter(messages).begin('S').end();
    CO_TRY_DONE(co_await stream.write(bytes_of(messages)));
    std::vector<std::pair<std::uint32_t, int>> origins;
    for (;;) {
        CO_TRY(frame, next_frame(inbox.unread(), message_limit));
        if (!frame) {
            CO_TRY_DONE(co_await inbox.fill());
            continue;
        }
        if (frame->type == 'T') {
            CO_TRY(fields, read_row_description(frame->body));
            for (const FieldShape& field : fields)
                origins.emplace_back(field.relation, field.attribute);
        }
        const bool ready = frame->type == 'Z';
        inbox.consume(frame->whole.size());
        if (ready)
            co_return origins;
    }
}

template <class Number>
Number number_of(std::string_view text)
{
    Number value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// Relations under construction, by OID.
class Draft {
public:
    void add_column(const Row& row)
    {
        if (row.size() != 7)
            return;
        CatalogueRelation& relation = relations_[number_of<std::uint32_t>(row[0])];
        relation.oid = number_of<std::uint32_t>(row[0]);
        relation.schema = row[1];
        relation.name = row[2];
        relation.view = row[3] == "v" || row[3] == "m";
        const auto attribute = number_of<std::size_t>(row[4]);
        if (attribute < 1 || attribute > 1664)  // the server's own limit, MaxTupleAttributeNumber
            return;
        if (relation.columns.size() < attribute) {
            relation.columns.resize(attribute);
            relation.types.resize(attribute);
        }
        relation.columns[attribute - 1] = row[5];
        relation.types[attribute - 1] = number_of<std::uint32_t>(row[6]);
    }

    void add_parent(const Row& row)
    {
        if (row.size() != 2)
            return;
        const auto child = relations_.find(number_of<std::uint32_t>(row[0]));
        if (child != relations_.end())
            child->second.parents.push_back(number_of<std::uint32_t>(row[1]));
    }

    void add_view_column(const Row& row)
    {
        if (row.size() != 3)
            return;
        const auto view = relations_.find(number_of<std::uint32_t>(row[0]));
        const auto base = number_of<std::uint32_t>(row[1]);
        if (view != relations_.end() && base != view->first)
            view->second.reads.emplace_back(base, number_of<int>(row[2]));
    }

    // Dependencies do not tell a whole row from a mere mention of its table: a view whose text
    // could use one reads every column of its tables.
    void add_view_text(const Row& row)
    {
        if (row.size() != 2)
            return;
        const auto view = relations_.find(number_of<std::uint32_t>(row[0]));
        if (view == relations_.end())
            return;
        texts_.emplace_back(view->first, row[1]);
        const auto sql = read_sql(row[1], {});
        bool whole = sql->statements().size() != 1;
        for (const Statement& statement : sql->statements())
            whole = whole || statement.mentions.star || statement.mentions.whole_row;
        if (whole)
            whole_rows_.push_back(view->first);
    }

    const std::vector<std::pair<std::uint32_t, std::string>>& view_texts() const { return texts_; }

    void set_origins(std::uint32_t view, std::vector<std::pair<std::uint32_t, int>> origins)
    {
        relations_[view].origins = std::move(origins);
    }

    Catalogue finish()
    {
        for (const std::uint32_t oid : whole_rows_) {
            auto& reads = relations_[oid].reads;
            const auto direct = reads;
            for (const auto& [base, attribute] : direct) {
                const auto found = relations_.find(base);
                if (attribute != 0 || found == relations_.end())
                    continue;
                for (std::size_t i = 0; i < found->second.columns.size(); ++i)
                    reads.emplace_back(base, static_cast<int>(i) + 1);
            }
        }
        std::vector<CatalogueRelation> all;
        for (auto& [oid, relation] : relations_) {
            auto& reads = relation.reads;
            std::erase_if(reads, [](const auto& column) { return column.second == 0; });
            std::sort(reads.begin(), reads.end());
            reads.erase(std::unique(reads.begin(), reads.end()), reads.end());
            all.push_back(std::move(relation));
        }
        return Catalogue(std::move(all));
    }

private:
    std::map<std::uint32_t, CatalogueRelation> relations_;
    std::vector<std::uint32_t> whole_rows_;
    std::vector<std::pair<std::uint32_t, std::string>> texts_;
};

awaitable<Result<std::shared_ptr<const Catalogue>>> read_catalogue(const Target& target)
{
    const std::map<std::string, std::string> startup = {{"application_name", "sallyport/catalogue"},
                                                        {"default_transaction_read_only", "on"}};
    auto login = co_await log_in_to_target(target, startup, login_deadline);
    if (!login)
        co_return tl::unexpected(std::move(login).error());
    Stream& stream = login->stream;
    Inbox inbox(stream, login->unread);
    Draft draft;
    const std::function<void(const Row&)> columns = [&](const Row& row) { draft.add_column(row); };
    const std::function<void(const Row&)> parents = [&](const Row& row) { draft.add_parent(row); };
    const std::function<void(const Row&)> reads = [&](const Row& row) {
        draft.add_view_column(row);
    };
    const std::function<void(const Row&)> texts = [&](const Row& row) { draft.add_view_text(row); };
    CO_TRY_DONE(co_await each_row(stream, inbox, columns_query, columns));
    CO_TRY_DONE(co_await each_row(stream, inbox, parents_query, parents));
    CO_TRY_DONE(co_await each_row(stream, inbox, view_columns_query, reads));
    CO_TRY_DONE(co_await each_row(stream, inbox, view_texts_query, texts));
    for (const auto& [view, text] : draft.view_texts()) {
        CO_TRY(origins, co_await origins_of(stream, inbox, text));
        draft.set_origins(view, std::move(origins));
    }
    std::string terminate;
    MessageWriter(terminate).begin('X').end();
    CO_TRY_DONE(co_await stream.write(bytes_of(terminate)));
    stream.close();
    co_return std::make_shared<const Catalogue>(draft.finish());
}

}  // namespace

CatalogueSource::CatalogueSource(std::shared_ptr<const Connection> connection,
                                 std::shared_ptr<CatalogueChanges> changes)
    : connection_(std::move(connection)), changes_(std::move(changes))
{
}

std::shared_ptr<const Catalogue> CatalogueSource::current() const
{
    const bool stale = newest_count_ != changes_->count.load() ||
                       std::chrono::steady_clock::now() - read_at_ > longest_age;
    return stale ? nullptr : newest_;
}

awaitable<Result<std::shared_ptr<const Catalogue>>> CatalogueSource::read()
{
    while (reading_) {
        const auto waiting = reading_;
        boost::system::error_code ignored;
        co_await waiting->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        if (auto catalogue = current())
            co_return catalogue;
    }
    if (newest_ && newest_count_ == changes_->count.load() &&
        std::chrono::steady_clock::now() - read_at_ < shortest_age)
        co_return newest_;

    const auto executor = co_await asio::this_coro::executor;
    reading_ =
        std::make_shared<asio::steady_timer>(executor, asio::steady_timer::time_point::max());
    struct Release {
        std::shared_ptr<asio::steady_timer>& reading;
        ~Release() { std::exchange(reading, nullptr)->cancel(); }
    };
    const Release release{reading_};

    // Counted before reading: DDL that passes meanwhile makes this reading stale.
    const std::uint64_t count = changes_->count.load();
    auto catalogue = co_await read_catalogue(connection_->target);
    if (!catalogue)
        co_return tl::unexpected(std::move(catalogue).error());
    newest_ = *catalogue;
    newest_count_ = count;
    read_at_ = std::chrono::steady_clock::now();
    co_return newest_;
}

}  // namespace sallyport::postgres
