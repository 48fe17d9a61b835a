// What the names of a statement mean: to one target's catalogue, under one search path, in one
// session.
//
// Names are looked up as the server does (PostgreSQL documentation, "The Schema Search Path"),
// where the search path is known; where it is not, a name means everything that has it. Overloads
// are not told apart by type: a call means every function of its name that takes as many arguments.
// Both err on the side of finding more.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/vocabulary/command.h"
#include "protocols/postgres/catalogue.h"
#include "protocols/postgres/lineage.h"
#include "protocols/postgres/search_path.h"

struct CreateFunctionStmt;  // PostgreSQL's, nodes/parsenodes.h

namespace sallyport::postgres {

struct Statement;

// What a text, a function's body, a view's query or a trigger does by itself, without what it calls
// and touches in turn.
struct Doings {
    Actions actions;
    std::vector<const CatalogueFunction*> calls;
    std::vector<RelationUse> uses;
    std::vector<std::uint32_t> types;   // named; those of pg_catalog left out
    std::vector<std::string> settings;  // as Statement::settings
};

class Resolution {
public:
    // catalogue: null where it could not be read; then names are what they would be in an empty
    // database. own: relations that this session made and the catalogue may not know yet.
    Resolution(std::shared_ptr<const Catalogue> catalogue,
               std::vector<std::string> trusted_functions, SearchPath path,
               std::vector<std::shared_ptr<const CatalogueRelation>> own = {});
    ~Resolution();
    Resolution(const Resolution&) = delete;
    Resolution& operator=(const Resolution&) = delete;

    // The same names once a statement of the same text has run. own: relations made so far.
    // relations, functions: what they mean has changed in a way that nobody follows.
    std::shared_ptr<Resolution> after(const Statement& done,
                                      std::vector<std::shared_ptr<const CatalogueRelation>> own,
                                      bool relations, bool functions) const;

    // A relation's columns may be others by now; a function may be another.
    bool doubts_relations() const { return doubts_relations_; }
    bool doubts_functions() const { return doubts_functions_; }

    const std::shared_ptr<const Catalogue>& catalogue() const { return catalogue_; }
    const SearchPath& path() const { return path_; }

    // Every relation the name could mean; empty where nobody knows one. schema empty: not
    // qualified. "pg_temp" names the session's own temporary relations.
    std::vector<const CatalogueRelation*> relations(std::string_view schema,
                                                    std::string_view name) const;

    // Every function, procedure or aggregate outside pg_catalog that a call with so many arguments
    // could mean.
    std::vector<const CatalogueFunction*> functions(std::string_view schema, std::string_view name,
                                                    std::size_t arguments) const;

    // Every function of that name, whatever its arguments.
    std::vector<const CatalogueFunction*> functions_named(std::string_view schema,
                                                          std::string_view name) const;

    // Functions behind operators and casts that are not built in.
    void operators(std::string_view schema, std::string_view name,
                   std::vector<const CatalogueFunction*>& into) const;
    // A cast to a type, and what a domain checks.
    void casts_to(std::string_view schema, std::string_view type, Doings& into);

    // Whether code of the database's may run because a value has this type: an implicit cast's.
    bool is_cast_unwritten(std::uint32_t type) const;

    // "public.users": how an action calls what a name means. Without a schema in the text: the
    // schema it was found in, else the first of the path.
    std::string relation_name(std::string_view schema, std::string_view name) const;
    std::string function_name(std::string_view schema, std::string_view name) const;

    // Where CREATE puts what it makes without a schema.
    std::string creation_schema() const;

    // True where operators vouch for it.
    bool is_trusted(const CatalogueFunction& function) const;
    bool is_trusted(std::string_view schema, std::string_view name) const;

    // What a call of the function does, or a use of the relation causes; read once.
    const Doings& doings(const CatalogueFunction& function);
    const Doings& doings(const RelationUse& use);

    // The same names under another search path. Lives as long as this one, or the one that it was
    // first asked of.
    Resolution& under(SearchPath path);

    // Adds everything that follows from what is there, function by function, view by view. At most
    // some thousands of them; beyond, opaque.
    void follow(Doings& doings);

    // What a value of the column is made of, beside the column itself: a view's query, a generated
    // column's expression. attribute from 1.
    const Sources& behind(const CatalogueRelation& relation, std::size_t attribute);

    // Whether the column's values are those of a table's column as they stand: of a table always,
    // where nothing was copied into it.
    bool is_plain(const CatalogueRelation& relation, std::size_t attribute);

    // Columns that a call's result may hold values of, beside its arguments; what it copies where.
    const Lineage& lineage(const CatalogueFunction& function);

    // Adds to a statement what the triggers, rules and definitions that these uses and all its
    // writing set off copy and show, and what those set off in turn.
    void set_off(std::vector<RelationUse> uses, Lineage& statement);

private:
    // A cast that the server puts in where a value of the type is.
    struct UnwrittenCast {
        std::uint32_t type = 0;  // the database's own; 0: built in, so that it may be anywhere
        const CatalogueFunction* function = nullptr;
    };
    struct Memory;
    struct Paths;

    Resolution(Paths& paths, SearchPath path);

    bool in_path(std::string_view schema) const;
    bool hides_own() const;
    void follow_references(const RelationUse& use, Doings& into) const;
    void value_of_type(std::uint32_t oid, Doings& into, int depth);
    Resolution& names_in(const ::CreateFunctionStmt& one);
    const Lineage& columns_behind(const CatalogueRelation& relation);
    Lineage read_columns(const CatalogueRelation& relation);
    Lineage read_function(const CatalogueFunction& function);
    Lineage read_set_off(const RelationUse& use);

    std::shared_ptr<const Catalogue> catalogue_;
    std::vector<std::string> trusted_;
    SearchPath path_;
    std::vector<std::shared_ptr<const CatalogueRelation>> own_;
    std::vector<UnwrittenCast> unwritten_;
    bool doubts_relations_ = false;
    bool doubts_functions_ = false;
    std::unique_ptr<Memory> memory_;
    std::unique_ptr<Paths> own_paths_;  // null where it is one of another's
    Paths* paths_;
};

}  // namespace sallyport::postgres
