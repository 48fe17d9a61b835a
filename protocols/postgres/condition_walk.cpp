// Whether a WHERE restricts anything.
//
// A condition that names no column is the same for every row: it restricts nothing unless it is
// plainly false. Of those that name columns, the usual ways to write "every row" are known: id =
// id, x IS NULL OR x IS NOT NULL, name LIKE '%', ctid IS NOT NULL, and what AND, OR and NOT make of
// them.

#include <algorithm>
#include <array>

#include "protocols/postgres/tree_walk.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

extern "C" bool equal(const void* a,
                      const void* b);  // the library's: node trees, without locations

namespace sallyport::postgres {

namespace {

// Larger trees are not compared: equal() recurses.
constexpr std::size_t comparable = 64;

const A_Const* constant(const Node* one)
{
    while (is(one, T_TypeCast))
        one = as<TypeCast>(one).arg;
    return is(one, T_A_Const) ? &as<A_Const>(one) : nullptr;
}

bool is_false(const Node* one)
{
    const A_Const* value = constant(one);
    if (value == nullptr)
        return false;
    if (value->isnull)
        return true;
    if (value->val.node.type == T_Boolean)
        return !value->val.boolval.boolval;
    static constexpr auto words =
        std::to_array<std::string_view>({"f", "false", "n", "no", "off", "0"});
    return is(one, T_TypeCast) &&
           std::find(words.begin(), words.end(), string_of(&value->val)) != words.end();
}

std::string_view operator_of(const A_Expr& one)
{
    return string_of(node_of(cells(one.name).back()));
}

bool is_system_column(const void* one)
{
    if (!is(one, T_ColumnRef))
        return false;
    static constexpr auto names =
        std::to_array<std::string_view>({"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"});
    const std::string_view name = string_of(node_of(cells(as<ColumnRef>(one).fields).back()));
    return std::find(names.begin(), names.end(), name) != names.end();
}

// LIKE '%', SIMILAR TO '%', ~ '', ~ '.*'
bool matches_everything(const A_Expr& one)
{
    const Node* written = one.rexpr;
    // The grammar makes it x ~ similar_to_escape(pattern).
    if (one.kind == AEXPR_SIMILAR && is(written, T_FuncCall) &&
        !cells(as<FuncCall>(written).args).empty())
        written = node_of(cells(as<FuncCall>(written).args)[0]);
    const A_Const* pattern = constant(written);
    if (pattern == nullptr || pattern->isnull || !is(&pattern->val, T_String))
        return false;
    const std::string_view text = string_of(&pattern->val);
    const std::string_view name = operator_of(one);
    if (name == "~~" || name == "~~*" || (one.kind == AEXPR_SIMILAR && name == "~"))
        return !text.empty() && text.find_first_not_of('%') == std::string_view::npos;
    if (name == "~" || name == "~*")
        return text.empty() || text == ".*" || text == "^" || text == "$" || text == "^.*$";
    return false;
}

// One says what the other denies.
bool are_opposites(const Node* a, const Node* b)
{
    if (is(a, T_NullTest) && is(b, T_NullTest))
        return as<NullTest>(a).nulltesttype != as<NullTest>(b).nulltesttype &&
               equal(as<NullTest>(a).arg, as<NullTest>(b).arg);
    if (is(b, T_BoolExpr) && as<BoolExpr>(b).boolop == NOT_EXPR)
        return equal(a, node_of(cells(as<BoolExpr>(b).args)[0]));
    if (is(a, T_BoolExpr) && as<BoolExpr>(a).boolop == NOT_EXPR)
        return equal(node_of(cells(as<BoolExpr>(a).args)[0]), b);
    if (!is(a, T_A_Expr) || !is(b, T_A_Expr))
        return false;
    const auto& left = as<A_Expr>(a);
    const auto& right = as<A_Expr>(b);
    if (left.kind != AEXPR_OP || right.kind != AEXPR_OP || !equal(left.lexpr, right.lexpr) ||
        !equal(left.rexpr, right.rexpr))
        return false;
    // x > 1 OR x <= 1, x = 1 OR x <> 1, x >= 1 OR x <= 1
    static constexpr auto pairs = std::to_array<std::pair<std::string_view, std::string_view>>(
        {{"=", "<>"}, {">", "<="}, {"<", ">="}, {"<=", ">="}, {"~~", "!~~"}});
    const std::string_view first = operator_of(left);
    const std::string_view second = operator_of(right);
    return std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) {
        return (first == pair.first && second == pair.second) ||
               (first == pair.second && second == pair.first);
    });
}

}  // namespace

TreeWalk::Truth TreeWalk::condition(const Node* where)
{
    if (where == nullptr)
        return Truth::always;
    const Level level(*this);
    if (!level.entered())
        return Truth::always;
    if (is(where, T_CaseExpr))
        return any_case(as<CaseExpr>(where));
    return is(where, T_BoolExpr) ? all_or_any(as<BoolExpr>(where)) : leaf(where);
}

// The same for every row where each of its results is.
TreeWalk::Truth TreeWalk::any_case(const CaseExpr& one)
{
    const Truth whole = leaf(reinterpret_cast<const Node*>(&one));
    if (whole != Truth::restricts)
        return whole;
    const auto is_true = [](const Node* result) {
        const A_Const* value = constant(result);
        return value != nullptr && !is_false(result);
    };
    bool always = one.defresult != nullptr && is_true(reinterpret_cast<const Node*>(one.defresult));
    for (const ListCell& cell : cells(one.args)) {
        const auto& when = as<CaseWhen>(node_of(cell));
        const bool never = is_false(reinterpret_cast<const Node*>(when.expr));
        always = always && (never || is_true(reinterpret_cast<const Node*>(when.result)));
    }
    weighed_constants_ = true;
    return always ? Truth::always : Truth::restricts;
}

TreeWalk::Truth TreeWalk::all_or_any(const BoolExpr& one)
{
    const auto parts = cells(one.args);
    if (one.boolop == NOT_EXPR) {
        const Truth inner = condition(node_of(parts[0]));
        if (inner == Truth::restricts)
            return inner;
        return inner == Truth::always ? Truth::never : Truth::always;
    }
    const bool every = one.boolop == AND_EXPR;
    const Truth decisive = every ? Truth::never : Truth::always;
    bool decided = false;
    bool restricts = false;
    const std::size_t before = nodes_;
    for (const ListCell& cell : parts) {
        const Truth part = condition(node_of(cell));
        decided = decided || part == decisive;
        restricts = restricts || part == Truth::restricts;
    }
    if (decided)
        return decisive;
    if (!every && restricts && nodes_ - before <= comparable) {
        weighed_constants_ = true;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            for (std::size_t j = i + 1; j < parts.size(); ++j) {
                if (are_opposites(node_of(parts[i]), node_of(parts[j])))
                    return Truth::always;
            }
        }
    }
    if (restricts)
        return Truth::restricts;
    return every ? Truth::always : Truth::never;
}

// A condition without AND, OR and NOT.
TreeWalk::Truth TreeWalk::leaf(const Node* where)
{
    const std::size_t terms = row_terms_;
    const std::size_t before = nodes_;
    node(where);
    const bool small = nodes_ - before <= comparable;
    const bool same_for_every_row = row_terms_ == terms;
    if (is(where, T_NullTest) && is_system_column(as<NullTest>(where).arg))
        return as<NullTest>(where).nulltesttype == IS_NOT_NULL ? Truth::always : Truth::never;
    weighed_constants_ = weighed_constants_ || same_for_every_row;
    if (same_for_every_row && is_false(where))
        return Truth::never;
    if (!is(where, T_A_Expr) || !small)
        return same_for_every_row ? Truth::always : Truth::restricts;

    const auto& test = as<A_Expr>(where);
    const std::string_view name = operator_of(test);
    const bool unequal = name == "<>" || name == "<" || name == ">";
    const bool compares = unequal || name == "=" || name == "<=" || name == ">=";
    if (same_for_every_row) {
        // 1 = 0, 'a' = 'b', 1 <> 1: constants of one type that the operator says differ, or not.
        const A_Const* left = constant(test.lexpr);
        const A_Const* right = constant(test.rexpr);
        if (test.kind != AEXPR_OP || left == nullptr || right == nullptr || !compares)
            return Truth::always;
        const bool same = equal(left, right);
        const bool plainly_false = same ? unequal : name == "=";
        return plainly_false && left->val.node.type == right->val.node.type ? Truth::never
                                                                            : Truth::always;
    }
    if (matches_everything(test))
        return Truth::always;
    const bool scalar = test.kind == AEXPR_OP || test.kind == AEXPR_NOT_DISTINCT;
    if (scalar && compares && same(test.lexpr, test.rexpr))
        return unequal ? Truth::never : Truth::always;
    if (test.kind == AEXPR_BETWEEN || test.kind == AEXPR_BETWEEN_SYM) {
        const auto bounds = cells(&as<List>(test.rexpr));
        return same(test.lexpr, node_of(bounds[0])) && same(test.lexpr, node_of(bounds[1]))
                   ? Truth::always
                   : Truth::restricts;
    }
    if (test.kind == AEXPR_OP_ANY && name == "=" && is(test.rexpr, T_A_ArrayExpr)) {
        for (const ListCell& cell : cells(as<A_ArrayExpr>(test.rexpr).elements)) {
            if (same(test.lexpr, node_of(cell)))
                return Truth::always;
        }
    }
    if (test.kind == AEXPR_IN && name == "=") {
        bool has_true = false;
        bool has_false = false;
        for (const ListCell& cell : cells(&as<List>(test.rexpr))) {
            if (same(test.lexpr, node_of(cell)))
                return Truth::always;
            const A_Const* value = constant(node_of(cell));
            const bool truth = value != nullptr && !value->isnull && is(&value->val, T_Boolean);
            has_true = has_true || (truth && value->val.boolval.boolval);
            has_false = has_false || (truth && !value->val.boolval.boolval);
        }
        if (has_true && has_false)
            return Truth::always;
    }
    return Truth::restricts;
}

// Nodes of two types, and names of columns, are the same or not whichever numbers stand in them.
bool TreeWalk::same(const Node* a, const Node* b)
{
    if (a != nullptr && b != nullptr && a->type == b->type && a->type != T_ColumnRef)
        weighed_constants_ = true;
    return equal(a, b);
}

}  // namespace sallyport::postgres
