// What the target's catalogue says, as far as verdicts and masks need it: relations and their
// columns, what runs when they are read or written, functions, operators, casts and types.
//
// An immutable snapshot, read over a connection of the gateway's own (catalogue_reader.h). Objects
// of pg_catalog and information_schema are here as relations and types only; what their functions
// do is known by name (function_classes.h).

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sallyport::postgres {

// Stands for an SQL text that is there and could not be read, for it is too long or locked by a
// transaction that may be changing it: no parser takes it. Views' and functions' are empty instead.
inline constexpr std::string_view unreadable_text = ")";

// A column as a place that values come from. Its address is its identity within one snapshot.
struct CatalogueColumn {
    std::string name;  // empty where it was dropped
    std::uint32_t type = 0;
    std::string generated;  // GENERATED ALWAYS AS (this SQL expression); empty: none

    // Filled by Catalogue.
    // Where its values can come from, qualified: itself, the columns of that name of what the table
    // inherits from or is a partition of, of its own children and partitions, and what was copied
    // into any of them (derived_columns.h). Sorted, unique.
    std::vector<std::string> places;
    bool copied = false;  // something was copied into it
    bool own = false;     // of a relation that the session itself has made (own_relations.h)
    // One of the system's that repeat values of other tables' columns, texts of other people's
    // statements or secrets; or one with more places than are kept. Hidden wherever anything is
    // masked.
    bool holds_values = false;
};

struct CatalogueTrigger {
    // pg_trigger.tgtype (catalog/pg_trigger.h): the events it fires on.
    static constexpr std::uint16_t on_insert = 1 << 2;
    static constexpr std::uint16_t on_delete = 1 << 3;
    static constexpr std::uint16_t on_update = 1 << 4;
    static constexpr std::uint16_t on_truncate = 1 << 5;

    std::uint32_t function = 0;
    std::string function_name;  // where it is one of pg_catalog's; else empty
    std::uint16_t events = 0;
    std::string condition;  // WHEN: an SQL expression over OLD and NEW; empty: none
};

// A foreign key of another table that refers to this one.
struct CatalogueReference {
    std::uint32_t relation = 0;  // that has it
    // pg_constraint.confupdtype and confdeltype: a r c n d.
    char on_update = 'a';
    char on_delete = 'a';
    std::vector<std::uint32_t> columns;     // attribute numbers there
    std::vector<std::uint32_t> referenced;  // attribute numbers here, as many
};

struct CatalogueRelation {
    std::uint32_t oid = 0;
    std::string schema;
    std::string name;
    char kind = 'r';                       // pg_class.relkind: r p v m f S; c: a composite type
    std::vector<CatalogueColumn> columns;  // by attribute number from 1
    std::vector<std::uint32_t> parents;    // tables it inherits from, or is a partition of
    // Views and materialised views outside the system's schemas: the query, every name in it
    // qualified. Empty where it could not be read.
    std::string definition;
    std::vector<std::string> rules;  // CREATE RULE ..., all but a view's own
    std::vector<CatalogueTrigger> triggers;
    // Evaluated when a row is written: defaults that are no constants, generated columns, CHECK
    // constraints, expressions and predicates of indexes, expressions of partition keys. SQL
    // expressions; an index's or a partition key's can be several, with commas.
    std::vector<std::string> written_expressions;
    // Evaluated when a row is read or written: row security policies.
    std::vector<std::string> policy_expressions;
    std::string server;  // foreign tables: the foreign server
    std::vector<CatalogueReference> references;

    bool is_view() const { return kind == 'v' || kind == 'm'; }
};

struct CatalogueFunction {
    std::uint32_t oid = 0;
    std::string schema;
    std::string name;
    char kind = 'f';       // pg_proc.prokind: f p a w
    std::string language;  // pg_language.lanname
    // How many arguments a call may have: all but those with defaults; a variadic one takes any
    // number from there.
    std::uint16_t fewest_arguments = 0;
    std::uint16_t most_arguments = 0;
    bool variadic = false;
    std::vector<std::uint32_t> argument_types;  // input arguments, OIDs
    std::uint32_t result_type = 0;
    bool returns_set = false;
    // Names of the columns of its result: OUT and TABLE parameters; empty where there are none.
    std::vector<std::string> result_columns;
    // CREATE FUNCTION ..., for the languages sql and plpgsql; empty where it could not be read.
    std::string definition;
    std::string extension;     // the extension it belongs to; empty: none
    bool as_built_in = false;  // pg_catalog has one of this name with these argument types
    std::vector<std::uint32_t> support;  // aggregates: the functions it is made of
};

struct CatalogueOperator {
    std::string schema;
    std::string name;
    std::uint32_t function = 0;
    bool as_built_in = false;  // pg_catalog has one of this name for these operands
};

struct CatalogueCast {
    std::uint32_t source = 0;
    std::uint32_t target = 0;
    std::uint32_t function = 0;
    char context = 'e';  // pg_cast.castcontext: i, a, e
};

struct CatalogueType {
    std::uint32_t oid = 0;
    std::string schema;
    std::string name;
    char kind = 'b';             // pg_type.typtype: b c d e m p r
    char category = 'U';         // pg_type.typcategory
    std::uint32_t element = 0;   // of an array type
    std::uint32_t base = 0;      // of a domain
    std::uint32_t relation = 0;  // of a composite type
    // Of a domain: CHECK expressions over VALUE, and its default.
    std::vector<std::string> constraints;
};

// What a reading of the catalogue found, before it is made into a Catalogue.
struct CatalogueParts {
    std::vector<CatalogueRelation> relations;
    std::vector<CatalogueFunction> functions;  // none of pg_catalog and information_schema
    std::vector<CatalogueOperator> operators;  // likewise
    std::vector<CatalogueCast> casts;          // those with a function that is not pg_catalog's
    std::vector<CatalogueType> types;          // none of pg_catalog and information_schema
    // The search path of a new session of the target's role, without pg_temp and pg_catalog where
    // they are implied; schemas that exist.
    std::vector<std::string> search_path;
    std::vector<std::string> schemas;
};

class DerivedColumns;

class Catalogue {
public:
    // derived: what was copied where; null: nothing. Asked here only.
    explicit Catalogue(CatalogueParts parts, const DerivedColumns* derived = nullptr);
    Catalogue(const Catalogue&) = delete;
    Catalogue& operator=(const Catalogue&) = delete;

    // Null for an OID it does not know.
    const CatalogueRelation* relation(std::uint32_t oid) const;
    const CatalogueFunction* function(std::uint32_t oid) const;
    const CatalogueType* type(std::uint32_t oid) const;

    // Tables that inherit from it and its partitions; not theirs in turn.
    std::span<const CatalogueRelation* const> children(std::uint32_t oid) const;

    // Null where relation or attribute is unknown or dropped.
    const CatalogueColumn* column(std::uint32_t relation, int attribute) const;

    // Everything with this name, in whatever schema.
    std::span<const CatalogueRelation* const> relations_named(std::string_view name) const;
    std::span<const CatalogueFunction* const> functions_named(std::string_view name) const;
    std::span<const CatalogueOperator* const> operators_named(std::string_view name) const;
    std::span<const CatalogueType* const> types_named(std::string_view name) const;

    // What it was made of, with what Catalogue fills in.
    const CatalogueParts& parts() const { return parts_; }
    const std::vector<CatalogueRelation>& relations() const { return parts_.relations; }
    const std::vector<CatalogueCast>& casts() const { return parts_.casts; }
    const std::vector<std::string>& search_path() const { return parts_.search_path; }
    const std::vector<std::string>& schemas() const { return parts_.schemas; }

private:
    struct Hash {
        // NOLINTNEXTLINE(readability-identifier-naming): the standard library's word
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const
        {
            return std::hash<std::string_view>()(text);
        }
    };
    template <class T>
    using ByName = std::unordered_map<std::string, std::vector<const T*>, Hash, std::equal_to<>>;
    template <class T>
    using ByOid = std::unordered_map<std::uint32_t, const T*>;

    void find_places(const DerivedColumns* derived);

    CatalogueParts parts_;
    ByOid<CatalogueRelation> relations_by_oid_;
    std::unordered_map<std::uint32_t, std::vector<const CatalogueRelation*>> children_;
    ByOid<CatalogueFunction> functions_by_oid_;
    ByOid<CatalogueType> types_by_oid_;
    ByName<CatalogueRelation> relations_by_name_;
    ByName<CatalogueFunction> functions_by_name_;
    ByName<CatalogueOperator> operators_by_name_;
    ByName<CatalogueType> types_by_name_;
};

}  // namespace sallyport::postgres
