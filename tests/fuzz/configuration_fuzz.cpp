// A configuration file of arbitrary bytes is read or refused with problems that have a line.

#include <array>
#include <cstdlib>

#include "gateway/config/configuration.h"

namespace {

using namespace sallyport;

constexpr std::array<std::string_view, 3> classes = {"select", "drop", "opaque"};
constexpr std::array<Vocabulary::Group, 1> groups = {{{"read", ClassSet::of(0)}}};
const Vocabulary vocabulary = {
    .facet = "sql", .classes = classes, .groups = groups, .reads = ClassSet::of(0)};
const std::array<ProtocolWords, 1> protocols = {{{"postgres", &vocabulary}}};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(bytes), size);
    // Relative paths lead nowhere: the folder does not exist.
    const auto configuration = parse_configuration(text, "/nonexistent/gw.yaml", protocols);
    if (configuration)
        return 0;
    if (configuration.error().empty())
        std::abort();
    int line = 0;
    for (const Problem& problem : configuration.error()) {
        if (problem.line < line || problem.text.empty())
            std::abort();
        line = problem.line;
    }
    return 0;
}
