// Follows values through one raw parse tree: from FROM to the columns of the result.
//
// Scopes are the server's (PostgreSQL documentation, "Table Expressions"): names are looked for
// among the FROM items of their own query level, then outwards. Where several could be meant all
// are. By subject: statements in lineage_statement.cpp, queries in lineage_query.cpp, expressions
// in lineage_expression.cpp. Walks only trees that TreeWalk has found not to be too deep.

#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/postgres/lineage.h"
#include "protocols/postgres/resolution.h"

// PostgreSQL's, nodes/parsenodes.h and nodes/primnodes.h.
struct Node;
struct List;
struct Alias;
struct RangeVar;
struct RangeFunction;
struct JoinExpr;
struct SelectStmt;
struct InsertStmt;
struct UpdateStmt;
struct DeleteStmt;
struct MergeStmt;
struct WithClause;
struct CommonTableExpr;
struct OnConflictClause;
struct ColumnRef;
struct FuncCall;
struct SubLink;
struct IntoClause;
struct CreateStmt;
struct AlterTableStmt;
struct CreateFunctionStmt;
struct PLAssignStmt;
struct RenameStmt;

namespace sallyport::postgres {

class RawParse;
struct PlpgsqlBlock;
struct PlpgsqlRoutine;

class LineageWalk {
public:
    // names outlives the walk and what it gives.
    explicit LineageWalk(Resolution& names);
    ~LineageWalk();
    LineageWalk(const LineageWalk&) = delete;
    LineageWalk& operator=(const LineageWalk&) = delete;

    // Stands for what some variable or parameter holds, until that is known.
    static const CatalogueColumn* variable();

    Lineage statement(const ::Node* one);

    // Of what calls the function, from CREATE FUNCTION's own statement: outputs and values are what
    // its result may hold beside its arguments.
    Lineage function(const ::CreateFunctionStmt& one);

    // Of an action of a rule or of the body of a trigger on a relation: NEW and OLD are its rows.
    Lineage action(const ::Node* one, const CatalogueRelation& on);
    Lineage trigger(const ::CreateFunctionStmt& one, const CatalogueRelation& on);

    // The sources of one expression over a relation's own columns.
    Sources over(const ::Node* expression, const CatalogueRelation& relation);

private:
    struct Column {
        std::string_view name;
        Sources sources;
        bool plain = false;
    };

    // The columns of a query or of something in FROM.
    struct Columns {
        std::vector<Column> list;
        bool exact = true;  // the list is complete and in order
        Sources rest;       // where it is not: what any other column may hold
    };

    // A name in FROM. Columns of a relation are looked at in place.
    struct Item {
        std::string_view alias;
        std::string_view schema;  // written
        const CatalogueRelation* relation = nullptr;
        Columns columns;                                // where relation is null
        std::vector<const CatalogueRelation*> targets;  // where it is written: all it could be
        bool visible = true;                            // false: behind the alias of a join
    };

    // What FROM is made of, for "*".
    struct Source {
        int item = -1;
        int left = -1;
        int right = -1;
        bool natural = false;
        std::vector<std::string_view> together;  // USING
    };

    struct Scope {
        const Scope* outer = nullptr;
        std::vector<Item> items;
        std::vector<Source> sources;
        std::vector<int> top;  // FROM's own elements among sources
    };

    struct WithQuery {
        std::string_view name;
        Columns columns;
    };

    // Whether names that nobody knows may be variables: in function bodies.
    enum class Unknown : std::uint8_t { untraced, variable };

    // lineage_statement.cpp
    Columns any(const ::Node* one, const Scope* outer);
    void result(Columns columns);
    void made_by(const ::IntoClause& target, const Columns& columns);
    void make(std::string_view schema, std::string_view name, bool temporary,
              const Columns& columns, const ::List* names);
    void create(const ::CreateStmt& one);
    void alter(const ::AlterTableStmt& one);
    void renamed(const ::RenameStmt& one);
    void moves(const ::RangeVar& from, std::string_view to_schema, std::string_view to_name);
    void body(const ::CreateFunctionStmt& one, const Scope* outer);
    void block(const PlpgsqlRoutine& routine, const Scope* outer);
    static void leave_out_generated(const Item& item, Columns& columns);
    void settle_variables();
    void assigned(const ::PLAssignStmt& one, const Scope* outer);
    bool sql_text(std::string_view text, const Scope* outer, Columns* last);
    Lineage finish();

    // lineage_query.cpp
    Columns select(const ::SelectStmt& one, const Scope* outer);
    Columns select_alone(const ::SelectStmt& one, const Scope* outer);
    Columns values(const ::List* rows, const Scope* outer);
    Columns insert(const ::InsertStmt& one, const Scope* outer);
    Columns update(const ::UpdateStmt& one, const Scope* outer);
    Columns delete_from(const ::DeleteStmt& one, const Scope* outer);
    void merge(const ::MergeStmt& one, const Scope* outer);
    std::size_t with(const ::WithClause* clause, const Scope* outer);
    Columns with_query(const ::CommonTableExpr& one, bool recursive, const Scope* outer);
    void writes(const Item& target, Use use);
    void leave(std::size_t names) { with_.resize(with_.size() - names); }
    int from(const ::Node* one, Scope& scope);
    int join(const ::JoinExpr& one, Scope& scope);
    int item(Item made, Scope& scope);
    int table(const ::RangeVar& one, Scope& scope, std::optional<Use> written = {});
    int function(const ::RangeFunction& one, Scope& scope);
    void add_result_columns(const ::Node* called, const Sources& sources, const Scope& scope,
                            Columns& into);
    void add_row_columns(const CatalogueFunction& function,
                         std::vector<std::string_view>& into) const;
    void all_columns(const Scope& scope, int source, Columns& into) const;
    static Columns joined(const Source& made, Columns left, Columns right);
    Columns columns_of(const Item& item) const;
    Columns columns_of(const std::vector<const CatalogueRelation*>& candidates) const;
    static void rename(Columns& columns, const ::Alias* alias);
    static void unite(Columns& into, const Columns& more);
    Columns outputs(const ::List* targets, Scope& scope);
    void order(const ::List* clause, const Columns& outputs, Scope& scope);
    void flow(const Item& target, std::string_view column, Sources sources);
    void assign(const ::List* targets, const Item& target, Scope& scope);

    // lineage_expression.cpp
    void expression(const void* any_node, const Scope& scope, Sources& into);
    void list(const ::List* all, const Scope& scope, Sources& into);
    void parts(const ::Node* one, const Scope& scope, Sources& into);
    void column(const ::ColumnRef& one, const Scope& scope, Sources& into);
    bool unqualified(std::string_view name, const Scope& scope, Sources& into);
    bool field_of(const Item& item, std::string_view name, Sources& into,
                  bool* plain = nullptr) const;
    bool is_plain(const ::Node* one, const Scope& scope) const;
    void unused(const Columns& columns);
    void whole(const Item& item, Sources& into) const;
    const Item* find_item(std::string_view schema, std::string_view name, const Scope& scope) const;
    void call(const ::FuncCall& one, const Scope& scope, Sources& into);
    void called(const CatalogueFunction& function, const Sources& arguments, Sources& into);
    void sub_link(const ::SubLink& one, const Scope& scope, Sources& into);
    void unknown(Sources& into);
    void condition(const void* one, const Scope& scope);
    Sources of_column(const CatalogueRelation& relation, std::size_t position) const;
    static std::string_view name_of_output(const void* any_node);

    Resolution& names_;
    Lineage found_;
    std::vector<WithQuery> with_;
    // What names and trees in what was found so far belong to.
    std::list<std::string> texts_;
    std::vector<std::unique_ptr<RawParse>> trees_;
    std::vector<std::unique_ptr<PlpgsqlBlock>> blocks_;
    Unknown unknown_ = Unknown::untraced;
    int bodies_within_ = 0;
    bool has_parameters_ = false;
};

// A function's lineage where it is called with values of these columns.
Lineage given(const Lineage& body, const Sources& arguments);

}  // namespace sallyport::postgres
