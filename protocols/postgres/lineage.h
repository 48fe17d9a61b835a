// Where the values of a statement's result come from, column by column, and where a statement
// copies values to.
//
// An output value derives from a column where the column stands in the expression that makes it, in
// whatever shape: a cast, an aggregate's argument, a CASE's condition, a row, a scalar subquery. A
// column that only selects, orders or counts rows (WHERE, ON, ORDER BY, GROUP BY, FILTER, OVER,
// EXISTS, IS NULL, count()) is no source; it is among the conditions.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/postgres/catalogue.h"

namespace sallyport::postgres {

// Columns of a Catalogue, or of a session's own relations; sorted, unique.
using Sources = std::vector<const CatalogueColumn*>;

// Adds to a set.
void add(Sources& into, const CatalogueColumn* column);
void add(Sources& into, const Sources& more);

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

struct Lineage {
    // Where true, the outputs are one for one the columns of the result; else each column of the
    // result may hold what any source in `values` holds.
    bool exact = false;
    std::vector<OutputColumn> outputs;
    Sources values;      // everything that is in some output, flow or variable
    Sources conditions;  // what selects, joins, groups or orders rows
    Sources unused;      // evaluated in a query within, and shown by none around it
    std::vector<Flow> flows;
    Sources assigned;  // columns that are written into
    // Values go where no mask follows them: a setting, a notification, a large object, another
    // server. For the refusal.
    Sources sunk;
    std::string sink;        // "set_config()"
    bool positions = false;  // ORDER BY 1 and its like: a number says which column
    // A name was met that nobody knows: made since the catalogue was read, perhaps.
    bool unknown_names = false;
    std::vector<const CatalogueRelation*> written;
    // CREATE TABLE, VIEW, AS: what the statement makes, with `places` of its columns empty; flows
    // say what goes into it.
    std::vector<std::shared_ptr<CatalogueRelation>> made;

    // Whether any value of it, shown, copied or compared, could be of this column.
    bool mentions(const CatalogueColumn* column) const;
};

}  // namespace sallyport::postgres
