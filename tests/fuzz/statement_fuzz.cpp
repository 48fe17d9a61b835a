// The reader of statements on arbitrary texts, over a small database: it must end, within its
// memory, without a crash, and say the same twice. What it records of a text that parses must not
// hold more than the text did.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocols/postgres/resolution.h"
#include "protocols/postgres/statement.h"
#include "tests/protocols/postgres/sample_names.h"

using namespace sallyport;
using namespace sallyport::postgres;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

bool within(const Sources& some, const Sources& all)
{
    return std::ranges::is_sorted(some) && std::ranges::includes(all, some);
}

// What is in an output or goes somewhere is among the values.
void require_sound(const Lineage& lineage)
{
    require(std::ranges::is_sorted(lineage.values) && std::ranges::is_sorted(lineage.conditions));
    for (const OutputColumn& output : lineage.outputs)
        require(within(output.sources, lineage.values));
    for (const Flow& flow : lineage.flows)
        require(!flow.relation.empty() && std::ranges::is_sorted(flow.sources));
    require(lineage.sunk.empty() || !lineage.sink.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const std::shared_ptr<Resolution> names =
        resolved(sample_parts(), {{"public"}, true}, {"public.trusted"});
    // The path decides what names mean, never whether a text can be read.
    static const std::shared_ptr<Resolution> lost = resolved(sample_parts(), {{}, false});
    const auto sql = read_sql(text, names);
    require(read_sql(text, lost)->problem.empty() == sql->problem.empty());
    const ClassSet classes = sql->command->classes();
    require(!sql->command->actions().empty() && !classes.empty());
    // What cannot be read is opaque and nothing else; what can be has every class of its
    // statements.
    if (!sql->problem.empty()) {
        require(sql->statements().empty());
        require(classes == ClassSet::of(static_cast<std::size_t>(SqlClass::opaque)));
        return 0;
    }
    ClassSet of_statements;
    for (const Statement& statement : sql->statements()) {
        of_statements |= statement.classes;
        require_sound(*statement.lineage);
    }
    require(sql->statements().empty() || of_statements == classes);
    require(read_sql(text, names)->command->classes() == classes);

    // A comment in front and a statement behind add nothing and one class.
    const std::string longer = "/**/" + std::string(text) + "\n;DROP TABLE x";
    const auto more = read_sql(longer, names);
    if (more->problem.empty())
        require((more->command->classes() & classes) == classes || sql->statements().empty());
    return 0;
}
