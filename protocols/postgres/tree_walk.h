// Walks one raw parse tree and collects what it would do: actions, and what masks need to know.
//
// Every node type of the grammar stands in a switch; one that does not is opaque, never passed
// over. Recursion is bounded (max_depth); chains that grow to the left - a + b + c, UNIONs, joins -
// are followed in a loop and cost no stack. By subject: statements in statement_walk.cpp and
// definition_walk.cpp, queries in query_walk.cpp, expressions in expression_walk.cpp, conditions in
// condition_walk.cpp, function bodies in body_walk.cpp.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "protocols/postgres/own_relations.h"
#include "protocols/postgres/plpgsql_block.h"
#include "protocols/postgres/raw_parse.h"
#include "protocols/postgres/resolution.h"
#include "protocols/postgres/statement.h"

// PostgreSQL's, nodes/parsenodes.h and nodes/primnodes.h.
struct Node;
struct RawStmt;
struct RangeVar;
struct SelectStmt;
struct InsertStmt;
struct UpdateStmt;
struct DeleteStmt;
struct MergeStmt;
struct WithClause;
struct Alias;
struct ColumnRef;
struct FuncCall;
struct SubLink;
struct JoinExpr;
struct CopyStmt;
struct DropStmt;
struct AlterTableStmt;
struct VariableSetStmt;
struct TransactionStmt;
struct CreateFunctionStmt;
struct RuleStmt;
struct A_Expr;
struct BoolExpr;
struct CaseExpr;
struct IntoClause;
struct DefElem;
struct TypeName;

namespace sallyport::postgres {

// Where a secret stands in the text: the first string literal at or after `from`.
struct SecretAt {
    std::size_t from;
    bool only_connection_string;  // a secret only where it holds "password=" or a URI with one
};

class TreeWalk {
public:
    // Levels of nesting that are followed; ordinary statements have fewer than 30.
    static constexpr int max_depth = 500;

    // names outlives the walk and the statements it gives.
    explicit TreeWalk(Resolution& names);
    ~TreeWalk();

    // Walks every statement of a text, in order, with all that follows from it. parsed outlives the
    // walk.
    std::vector<Statement> walk_all(const RawParse& parsed);

    // What a text of the catalogue does by itself: a view's query, an expression after SELECT.
    Doings doings(const RawParse& parsed);

    // What a call of a function does, a rule or a trigger sets off.
    Doings doings(const ::CreateFunctionStmt& one);
    Doings doings(const ::RuleStmt& one);

    // Adds what a call of the function would do to the statement that is being walked: its body,
    // the defaults of its parameters, SET ROLE; not that it is created. one outlives the walk, as
    // pg_get_functiondef() gives it and RawParse parses it.
    void called_body(const ::CreateFunctionStmt& one);

    // Of all statements walked so far, in the order found.
    std::vector<Action>& actions() { return actions_; }
    const std::vector<SecretAt>& secrets() const { return secrets_; }

    // What the statements' columns belong to beside the names given.
    std::vector<std::shared_ptr<Resolution>>& later_names() { return later_; }

    // True where some text holds a function body, which may hold statements with secrets in turn.
    bool has_body() const { return has_body_; }

    bool too_deep() const { return too_deep_; }

    // True where the value of a constant took part in a decision: 1 = 1 is not 1 = 2.
    bool weighed_constants() const { return weighed_constants_; }

    // Why a tree cannot be trusted to be what the server would read; empty where it can.
    const std::string& misread() const { return misread_; }

private:
    // Whether a condition restricts the rows it is asked about.
    enum class Truth : std::uint8_t { restricts, always, never };

    class Level {
    public:
        explicit Level(TreeWalk& walk) : walk_(walk)
        {
            if (++walk_.depth_ > max_depth)
                walk_.too_deep_ = true;
        }
        ~Level() { --walk_.depth_; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;
        bool entered() const { return !walk_.too_deep_; }

    private:
        TreeWalk& walk_;
    };

    Statement walk(const ::RawStmt& raw);
    void begin(Statement& made);
    void names_after(const Statement& done);
    void follow();
    Doings collect();

    // Any node, null included.
    void node(const void* any);
    void list(const ::List* nodes);

    // statement_walk.cpp
    void statement(const ::Node* one);
    bool session_statement(const ::Node* one);
    bool maintenance(const ::Node* one);
    void truncated(const CatalogueRelation& table, bool cascades);
    void copy(const ::CopyStmt& one);
    void set_variable(const ::VariableSetStmt& one);
    void setting(std::string_view name, std::string_view value, std::string_view how);
    void restored(std::string_view name);
    void changes_setting(const std::string& name, const std::string& cause);
    void transaction(const ::TransactionStmt& one);
    void transaction_mode(const ::DefElem& mode);
    void execute(std::string_view name, const ::List* parameters);

    // definition_walk.cpp
    bool definition(const ::Node* one);
    bool relation_definition(const ::Node* one);
    bool code_definition(const ::Node* one);
    bool outside_definition(const ::Node* one);
    void created(std::string_view what, const std::string& object, bool replaces = false);
    void created_as(const ::IntoClause& target, std::string_view what);
    void drop(const ::DropStmt& one);

    // alter_walk.cpp
    bool alteration(const ::Node* one);
    bool outside_alteration(const ::Node* one);
    bool role_statement(const ::Node* one);
    void alter_table(const ::AlterTableStmt& one);
    void altered(std::string_view what, const std::string& object, bool destroys = false);
    void options(const ::List* of_a_server_or_role);

    // body_walk.cpp
    void create_function(const ::CreateFunctionStmt& one);
    void function_body(const ::CreateFunctionStmt& one);
    void do_block(const ::List* arguments);
    void body(std::string_view language, const PlpgsqlRoutine& routine);
    bool sql_body(const std::string& text);
    void body_statements(const ::List* statements);
    void block_body(const PlpgsqlRoutine& routine);
    void block_expression(const ::Node* one);

    // query_walk.cpp
    bool query(const ::Node* one);
    void select(const ::SelectStmt& one);
    void select_alone(const ::SelectStmt& one);
    void insert(const ::InsertStmt& one);
    void update(const ::UpdateStmt& one);
    void delete_from(const ::DeleteStmt& one);
    void merge(const ::MergeStmt& one);
    std::size_t with(const ::WithClause* clause);  // how many names it brought, for leave()
    void leave(std::size_t names);
    void assignments(const ::List* targets, const ::RangeVar& table);
    void target(const ::RangeVar& table, SqlClass how, std::string_view verb);
    void read_from(const ::RangeVar& table);
    void join(const ::JoinExpr& one);
    bool from_clause(const ::Node* one);
    std::string_view named_setting(const ::SelectStmt& one) const;
    bool is_with_name(const ::RangeVar& table) const;

    // expression_walk.cpp
    void expression(const ::Node* one);
    void part(const ::Node* one);
    void column(const ::ColumnRef& one);
    void fields(const ::List* indirection);
    void called(std::string_view schema, std::string_view name, std::size_t arguments);
    void relation(const ::RangeVar& table, SqlClass how, std::string_view cause);
    void call(const ::FuncCall& one);
    void set_config(const ::FuncCall& one);
    void set_path(const ::Node* value, const ::Node* local);
    void sub_link(const ::SubLink& one);
    void operators(const ::A_Expr& one);
    void operator_name(const ::List* name);
    void type_name(const ::TypeName& one);
    void equality();

    // condition_walk.cpp
    Truth condition(const ::Node* where);
    Truth leaf(const ::Node* where);
    bool same(const ::Node* a, const ::Node* b);
    Truth all_or_any(const ::BoolExpr& one);
    Truth any_case(const ::CaseExpr& one);

    void add(SqlClass what, const std::string& object, std::string_view cause, bool behind = false);
    void add(ClassSet classes, const std::string& object, std::string_view cause);
    void opaque(std::string_view cause) { add(SqlClass::opaque, {}, cause); }
    void secret(int location, bool only_connection_string);

    // As object_names.h, with the names of this walk.
    std::string name_of(const ::RangeVar& relation) const;
    std::string name_of(const ::List* parts) const;
    std::string name_of(int kind, const ::Node* object) const;
    std::string name_to_create(const ::RangeVar& relation) const;

    Resolution* names_;
    // Of the statements behind the first, where one before changes what names mean.
    std::vector<std::shared_ptr<Resolution>> later_;
    OwnRelations own_;
    std::unordered_set<std::string> copies_;  // seen so far
    std::vector<Action> actions_;
    std::unordered_set<std::string> known_;  // class and object of each action, once there are many
    std::size_t first_ = 0;                  // where the actions of the current statement begin
    std::vector<SecretAt> secrets_;
    // Their strings are referred to below.
    std::vector<std::unique_ptr<RawParse>> bodies_;
    std::vector<PlpgsqlBlock> blocks_;

    // Of the current statement.
    Statement* statement_ = nullptr;
    std::vector<std::string> locked_;  // what FOR UPDATE locks: relations read so far
    std::vector<const CatalogueFunction*> calls_;
    std::vector<RelationUse> uses_;
    std::vector<std::uint32_t> types_;
    std::vector<std::string_view> with_names_;
    std::string_view settings_name_;  // FROM pg_settings WHERE name = this
    std::string_view within_;         // " in WITH", for causes
    std::size_t row_terms_ = 0;       // columns and the like seen: what a condition may depend on
    std::size_t nodes_ = 0;
    int begin_ = 0;  // where the statement begins in the text
    int depth_ = 0;
    int bodies_within_ = 0;     // function bodies inside function bodies
    bool reads_ = false;        // a SELECT without a table was seen
    bool reads_table_ = false;  // FROM has a table so far
    bool has_body_ = false;
    bool has_behind_ = false;  // of the current statement's actions
    bool weighed_constants_ = false;
    bool too_deep_ = false;
    std::string misread_;
};

}  // namespace sallyport::postgres
