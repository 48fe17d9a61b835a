// Where the values of a statement's result come from, column by column, and where a statement
// copies values to.
//
// An output value derives from a column where the column stands in the expression that makes it, in
// whatever shape: a cast, an aggregate's argument, a CASE's condition, a row, a scalar subquery. A
// column that only selects, orders or counts rows (WHERE, ON, ORDER BY, GROUP BY, FILTER, OVER,
// EXISTS, IS NULL, count()) is no source; it is among the conditions.

#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocols/postgres/catalogue.h"

namespace sallyport::postgres {

// Columns of a Catalogue, or of a session's own relations; sorted, unique. Most expressions have
// one or two.
using Sources = boost::container::small_vector<const CatalogueColumn*, 3>;

// Adds to a set.
void add(Sources& into, const CatalogueColumn* column);
void add(Sources& into, const Sources& more);

// Takes a column out of a set. True where it was in it.
bool remove(Sources& from, const CatalogueColumn* column);

// Stands in a set for values nobody can trace.
const CatalogueColumn* untraced();

struct OutputColumn {
    std::string name;
    Sources sources;
    bool plain = false;  // a column as it stands, not something made of columns
};

// Values of some columns are written into another.
struct Flow {
    std::string schema;  // as resolved; "pg_temp" for the session's own
    std::string relation;
    std::string column;
    Sources sources;
};

// The flows of a statement or a body, one for each column that is written into.
class Flows {
public:
    // Adds to what goes into the column already. Beyond some 200,000 sources in all, what is added
    // comes from nobody knows where. True where something was new.
    bool add(Flow flow);
    bool add(const Flows& more);

    // Changes the sources of each; drops those that have none then.
    template <class Change>
    void change(Change change)
    {
        for (Flow& flow : flows_)
            change(flow.sources);
        drop_empty();
    }

    bool empty() const { return flows_.empty(); }
    std::size_t size() const { return flows_.size(); }
    std::vector<Flow>::const_iterator begin() const { return flows_.begin(); }
    std::vector<Flow>::const_iterator end() const { return flows_.end(); }

private:
    Flow* into(const Flow& same);
    void index();
    void drop_empty();

    std::vector<Flow> flows_;
    std::unordered_map<std::string, std::size_t> places_;  // in flows_; only once there are many
    std::size_t sources_ = 0;                              // roughly
};

// "public.users.ssn": a column as masks name it.
std::string place_of(std::string_view schema, std::string_view relation, std::string_view column);

// How a statement, or something that runs because of it, touches a relation.
// key: an update of columns that foreign keys refer to.
enum class Use : std::uint8_t {
    read = 1,
    insert = 2,
    update = 4,
    delete_ = 8,
    truncate = 16,
    key = 32
};

struct RelationUse {
    const CatalogueRelation* relation = nullptr;
    Use use = Use::read;

    bool operator==(const RelationUse&) const = default;
};

void sort_unique(std::vector<RelationUse>& uses);

// Whether foreign keys that follow an update refer to the column.
bool is_followed_key(const CatalogueRelation& relation, std::string_view column);

struct Lineage {
    // Where true, the outputs are one for one the columns of the result; else each column of the
    // result may hold what any source in `values` holds.
    bool exact = false;
    std::vector<OutputColumn> outputs;
    Sources values;      // everything that is in some output, flow or variable
    Sources conditions;  // what selects, joins, groups or orders rows
    Sources unused;      // evaluated in a query within, and shown by none around it
    Flows flows;
    Sources assigned;  // columns that are written into
    // Values go where no mask follows them: a setting, a notification, a large object, another
    // server. For the refusal.
    Sources sunk;
    std::string sink;        // "set_config()"
    bool positions = false;  // ORDER BY 1 and its like: a number says which column
    // A name was met that nobody knows: made since the catalogue was read, perhaps.
    bool unknown_names = false;
    // What it writes into; Use::read: what it defines something on, whose rows it may check.
    std::vector<RelationUse> written;
    // CREATE TABLE, VIEW, AS: what the statement makes, with `places` of its columns empty; flows
    // say what goes into it. ALTER ... RENAME, SET SCHEMA: the relation by its new name.
    std::vector<std::shared_ptr<CatalogueRelation>> made;

    // Whether any value of it, shown, copied or compared, could be of this column.
    bool mentions(const CatalogueColumn* column) const;

    // What a statement writes it may show as well: RETURNING, and triggers that change the row on
    // its way.
    void show_written();
};

}  // namespace sallyport::postgres
