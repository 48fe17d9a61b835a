#include "tests/protocols/postgres/sql_corpus.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

namespace sallyport::postgres {

namespace {

// Names are separated by blanks and hold none.
std::set<std::string> objects_of(std::string_view line)
{
    std::set<std::string> objects;
    std::size_t begin = 0;
    while (begin < line.size()) {
        std::size_t end = std::min(line.size(), line.find(' ', begin));
        objects.emplace(line.substr(begin, end - begin));
        begin = end + 1;
    }
    return objects;
}

void add_expectation(SqlCase& one, std::string_view line)
{
    const std::size_t colon = line.find(" : ");
    one.classes = line.substr(3, colon == line.npos ? line.npos : colon - 3);
    one.names_objects = colon != line.npos;
    if (one.names_objects)
        one.objects = objects_of(line.substr(colon + 3));
}

}  // namespace

std::vector<SqlCase> sql_corpus()
{
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(SALLYPORT_SQL_CORPUS)) {
        if (entry.path().extension() == ".txt")
            files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<SqlCase> cases;
    for (const auto& file : files) {
        std::ifstream lines(file);
        SqlCase next;
        bool begun = false;
        int number = 0;
        for (std::string line; std::getline(lines, line);) {
            ++number;
            if (line.starts_with("=> ")) {
                add_expectation(next, line);
                if (!next.text.empty())
                    next.text.pop_back();
                cases.push_back(std::exchange(next, {}));
                begun = false;
            } else if (begun || (!line.empty() && line[0] != '#')) {
                if (!begun)
                    next.place = file.filename().string() + ":" + std::to_string(number);
                begun = true;
                next.text += line + "\n";
            }
        }
    }
    return cases;
}

}  // namespace sallyport::postgres
