#include "gateway/digest/saslprep.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <stringprep.h>
#include <vector>

namespace sallyport {

namespace {

// Compatibility forms grow: U+FDFA becomes 18 characters.
constexpr std::size_t most_growth = 18;

}  // namespace

Secret saslprep(const Secret& password)
{
    const std::string_view text = password.reveal();
    const bool ascii = std::all_of(text.begin(), text.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (ascii || text.find('\0') != text.npos)
        return password.duplicate();
    std::string prepared(text);
    prepared.resize(text.size() * most_growth + 1);
    const int result =
        stringprep(prepared.data(), prepared.size(), STRINGPREP_NO_UNASSIGNED, stringprep_saslprep);
    std::size_t size = prepared.find('\0');
    if (result != STRINGPREP_OK || size == 0)
        return password.duplicate();
    Secret kept(prepared.substr(0, size));
    explicit_bzero(prepared.data(), prepared.size());
    return kept;
}

}  // namespace sallyport
