#include "protocols/postgres/scrub.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "protocols/postgres/message.h"

namespace sallyport::postgres {

namespace {

// Classes whose texts repeat names and words of the statement, never values of rows (PostgreSQL
// documentation, Appendix A).
constexpr std::array<std::string_view, 10> harmless_classes = {"08", "25", "26", "28", "34",
                                                               "40", "53", "54", "55", "57"};

// Errors found while the statement is read point at a place in it; the same SQLSTATEs without a
// place come from values read as names (ssn::regclass, nextval(ssn), to_tsquery(ssn)).
bool quotes_the_statement(const Diagnostic& diagnostic)
{
    const std::string_view sqlstate = diagnostic.field('C');
    const std::string_view kind = sqlstate.substr(0, 2);
    if (kind == "42" || kind == "3D" || kind == "3F")
        // A place in a value that is read as a name comes with a context, or with a text of its
        // own.
        return (!diagnostic.field('P').empty() && diagnostic.field('W').empty() &&
                diagnostic.field('q').empty()) ||
               sqlstate == "42501" || sqlstate == "42P07";
    return std::find(harmless_classes.begin(), harmless_classes.end(), kind) !=
           harmless_classes.end();
}

}  // namespace

std::string scrubbed(char type, Bytes body)
{
    auto diagnostic = read_diagnostic(body);
    if (!diagnostic)
        return error_message("ERROR", "XX000", "the target sent an unreadable message");
    const std::string_view sqlstate = diagnostic->field('C');
    if (quotes_the_statement(*diagnostic))
        return write_diagnostic(type, *diagnostic);
    Diagnostic kept;
    for (const auto& [tag, value] : diagnostic->fields)
        if (std::string_view("SVCFLR").find(tag) != std::string_view::npos)
            kept.fields.emplace_back(tag, value);
    kept.set('M', "[masked] the target's message may quote masked values (SQLSTATE " +
                      std::string(sqlstate) + ")");
    return write_diagnostic(type, kept);
}

}  // namespace sallyport::postgres
