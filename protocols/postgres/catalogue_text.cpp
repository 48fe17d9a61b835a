#include "protocols/postgres/catalogue_text.h"

#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <system_error>
#include <utility>

#include "gateway/state/state_file.h"
#include "protocols/postgres/json_names.h"

namespace sallyport::postgres {

namespace {

using nlohmann::json;

constexpr std::size_t text_limit = std::size_t{512} << 20;
constexpr int form = 1;  // of the text; another one is not read

json json_of(const std::vector<std::string>& texts)
{
    json array = json::array();
    for (const std::string& text : texts)
        array.push_back(json_of_name(text));
    return array;
}

// What is empty is left out.
class ObjectWriter {
public:
    ObjectWriter& put(const char* key, const std::string& text)
    {
        if (!text.empty())
            object_[key] = json_of_name(text);
        return *this;
    }
    ObjectWriter& put(const char* key, const std::vector<std::string>& texts)
    {
        if (!texts.empty())
            object_[key] = json_of(texts);
        return *this;
    }
    ObjectWriter& put(const char* key, const std::vector<std::uint32_t>& numbers)
    {
        if (!numbers.empty())
            object_[key] = numbers;
        return *this;
    }
    ObjectWriter& put(const char* key, std::unsigned_integral auto number)
    {
        if (number != 0)
            object_[key] = number;
        return *this;
    }
    ObjectWriter& put(const char* key, char letter) { return put(key, std::string(1, letter)); }
    ObjectWriter& put(const char* key, json value)
    {
        if (!value.empty())
            object_[key] = std::move(value);
        return *this;
    }
    const json& object() const { return object_; }

private:
    json object_ = json::object();
};

json json_of(const CatalogueRelation& relation)
{
    json columns = json::array();
    for (const CatalogueColumn& column : relation.columns) {
        json one = json::array();
        if (!column.name.empty())
            one = {json_of_name(column.name), column.type};
        if (!column.generated.empty())
            one.push_back(json_of_name(column.generated));
        columns.push_back(std::move(one));
    }
    json triggers = json::array();
    for (const CatalogueTrigger& trigger : relation.triggers)
        triggers.push_back({trigger.function, json_of_name(trigger.function_name), trigger.events,
                            json_of_name(trigger.condition)});
    json references = json::array();
    for (const CatalogueReference& one : relation.references)
        references.push_back(
            {one.relation, std::string{one.on_update, one.on_delete}, one.columns, one.referenced});
    ObjectWriter writer;
    writer.put("oid", relation.oid).put("schema", relation.schema).put("name", relation.name);
    writer.put("kind", relation.kind).put("columns", std::move(columns));
    writer.put("parents", relation.parents).put("definition", relation.definition);
    writer.put("rules", relation.rules).put("triggers", std::move(triggers));
    writer.put("written", relation.written_expressions);
    writer.put("policies", relation.policy_expressions).put("server", relation.server);
    writer.put("references", std::move(references));
    return writer.object();
}

json json_of(const CatalogueFunction& function)
{
    ObjectWriter writer;
    writer.put("oid", function.oid).put("schema", function.schema).put("name", function.name);
    writer.put("kind", function.kind).put("language", function.language);
    writer.put("fewest", function.fewest_arguments).put("most", function.most_arguments);
    writer.put("variadic", function.variadic).put("arguments", function.argument_types);
    writer.put("result", function.result_type).put("set", function.returns_set);
    writer.put("columns", function.result_columns).put("definition", function.definition);
    writer.put("extension", function.extension).put("support", function.support);
    writer.put("built_in", function.as_built_in);
    return writer.object();
}

json json_of(const CatalogueOperator& one)
{
    ObjectWriter writer;
    writer.put("schema", one.schema).put("name", one.name).put("function", one.function);
    writer.put("built_in", one.as_built_in);
    return writer.object();
}

json json_of(const CatalogueCast& cast)
{
    ObjectWriter writer;
    writer.put("source", cast.source).put("target", cast.target).put("function", cast.function);
    writer.put("context", cast.context);
    return writer.object();
}

json json_of(const CatalogueType& type)
{
    ObjectWriter writer;
    writer.put("oid", type.oid).put("schema", type.schema).put("name", type.name);
    writer.put("kind", type.kind).put("element", type.element).put("base", type.base);
    writer.put("relation", type.relation).put("constraints", type.constraints);
    writer.put("category", type.category);
    return writer.object();
}

template <class T>
void write_all(std::string& text, const char* key, const std::vector<T>& all)
{
    text.append(",\n\"").append(key).append("\":[");
    const char* between = "\n";
    for (const T& one : all) {
        text.append(between).append(json_of(one).dump());
        between = ",\n";
    }
    text += ']';
}

// Takes a value apart. What is not as it should be makes failed() true and gives nothing.
class ObjectReader {
public:
    template <std::unsigned_integral Number>
    Number number(const json& value)
    {
        if (!value.is_number_unsigned() ||
            value.get<std::uint64_t>() > std::numeric_limits<Number>::max()) {
            failed_ = true;
            return 0;
        }
        return value.get<Number>();
    }
    std::string text(const json& value)
    {
        auto found = name_in_json(value);
        failed_ = failed_ || !found;
        return found ? *std::move(found) : std::string();
    }
    const json& array(const json& value)
    {
        static const json none = json::array();
        if (value.is_array())
            return value;
        failed_ = true;
        return none;
    }

    // What was left out stays as it is.
    template <std::unsigned_integral Number>
    void take(const json& object, const char* key, Number& into)
    {
        if (const json* value = member(object, key))
            into = number<Number>(*value);
    }
    void take(const json& object, const char* key, bool& into)
    {
        if (const json* value = member(object, key)) {
            failed_ = failed_ || !value->is_boolean();
            into = value->is_boolean() && value->get<bool>();
        }
    }
    void take(const json& object, const char* key, std::string& into)
    {
        if (const json* value = member(object, key))
            into = text(*value);
    }
    void take(const json& object, const char* key, char& into)
    {
        std::string letter;
        take(object, key, letter);
        failed_ = failed_ || letter.size() != 1;
        if (letter.size() == 1)
            into = letter[0];
    }
    void take(const json& object, const char* key, std::vector<std::string>& into)
    {
        if (const json* value = member(object, key))
            for (const json& one : array(*value))
                into.push_back(text(one));
    }
    void take(const json& object, const char* key, std::vector<std::uint32_t>& into)
    {
        if (const json* value = member(object, key))
            for (const json& one : array(*value))
                into.push_back(number<std::uint32_t>(one));
    }

    const json* member(const json& object, const char* key)
    {
        if (!object.is_object()) {
            failed_ = true;
            return nullptr;
        }
        const auto found = object.find(key);
        return found == object.end() ? nullptr : &*found;
    }

    bool failed() const { return failed_; }

private:
    bool failed_ = false;
};

void read_one(ObjectReader& reader, const json& value, CatalogueRelation& relation)
{
    reader.take(value, "oid", relation.oid);
    reader.take(value, "schema", relation.schema);
    reader.take(value, "name", relation.name);
    reader.take(value, "kind", relation.kind);
    if (const json* columns = reader.member(value, "columns")) {
        for (const json& one : reader.array(*columns)) {
            CatalogueColumn& column = relation.columns.emplace_back();
            const json& parts = reader.array(one);
            if (parts.size() < 2)
                continue;
            column.name = reader.text(parts[0]);
            column.type = reader.number<std::uint32_t>(parts[1]);
            if (parts.size() > 2)
                column.generated = reader.text(parts[2]);
        }
    }
    reader.take(value, "parents", relation.parents);
    reader.take(value, "definition", relation.definition);
    reader.take(value, "rules", relation.rules);
    if (const json* triggers = reader.member(value, "triggers")) {
        for (const json& one : reader.array(*triggers)) {
            // Short of a part, it has nulls, which are neither numbers nor texts.
            const json& parts = reader.array(one);
            const auto part = [&](std::size_t at) {
                return at < parts.size() ? parts[at] : json();
            };
            relation.triggers.push_back(
                {reader.number<std::uint32_t>(part(0)), reader.text(part(1)),
                 reader.number<std::uint16_t>(part(2)), reader.text(part(3))});
        }
    }
    reader.take(value, "written", relation.written_expressions);
    reader.take(value, "policies", relation.policy_expressions);
    reader.take(value, "server", relation.server);
    if (const json* references = reader.member(value, "references")) {
        for (const json& one : reader.array(*references)) {
            const json& parts = reader.array(one);
            const auto part = [&](std::size_t at) {
                return at < parts.size() ? parts[at] : json();
            };
            CatalogueReference& reference = relation.references.emplace_back();
            reference.relation = reader.number<std::uint32_t>(part(0));
            const std::string actions = reader.text(part(1));
            reference.on_update = actions.empty() ? 'a' : actions.front();
            reference.on_delete = actions.empty() ? 'a' : actions.back();
            for (const json& attribute : reader.array(part(2)))
                reference.columns.push_back(reader.number<std::uint32_t>(attribute));
            for (const json& attribute : reader.array(part(3)))
                reference.referenced.push_back(reader.number<std::uint32_t>(attribute));
        }
    }
}

void read_one(ObjectReader& reader, const json& value, CatalogueFunction& function)
{
    reader.take(value, "oid", function.oid);
    reader.take(value, "schema", function.schema);
    reader.take(value, "name", function.name);
    reader.take(value, "kind", function.kind);
    reader.take(value, "language", function.language);
    reader.take(value, "fewest", function.fewest_arguments);
    reader.take(value, "most", function.most_arguments);
    reader.take(value, "variadic", function.variadic);
    reader.take(value, "arguments", function.argument_types);
    reader.take(value, "result", function.result_type);
    reader.take(value, "set", function.returns_set);
    reader.take(value, "columns", function.result_columns);
    reader.take(value, "definition", function.definition);
    reader.take(value, "extension", function.extension);
    reader.take(value, "support", function.support);
    reader.take(value, "built_in", function.as_built_in);
}

void read_one(ObjectReader& reader, const json& value, CatalogueOperator& one)
{
    reader.take(value, "schema", one.schema);
    reader.take(value, "name", one.name);
    reader.take(value, "function", one.function);
    reader.take(value, "built_in", one.as_built_in);
}

void read_one(ObjectReader& reader, const json& value, CatalogueCast& cast)
{
    reader.take(value, "source", cast.source);
    reader.take(value, "target", cast.target);
    reader.take(value, "function", cast.function);
    reader.take(value, "context", cast.context);
}

void read_one(ObjectReader& reader, const json& value, CatalogueType& type)
{
    reader.take(value, "oid", type.oid);
    reader.take(value, "schema", type.schema);
    reader.take(value, "name", type.name);
    reader.take(value, "kind", type.kind);
    reader.take(value, "element", type.element);
    reader.take(value, "base", type.base);
    reader.take(value, "relation", type.relation);
    reader.take(value, "constraints", type.constraints);
    reader.take(value, "category", type.category);
}

template <class T>
void read_all(ObjectReader& reader, const json& object, const char* key, std::vector<T>& into)
{
    static const json none;  // no array: there has to be one
    const json* value = reader.member(object, key);
    for (const json& one : reader.array(value == nullptr ? none : *value))
        read_one(reader, one, into.emplace_back());
}

Result<void> replace_where_different(const std::string& file, const std::string& text)
{
    const auto present = load_state_file(file, text_limit);
    if (present && *present == text)
        return {};
    return replace_state_file(file, text);
}

}  // namespace

std::string write_catalogue(const CatalogueParts& parts)
{
    std::string text = "{\"form\":" + std::to_string(form);
    text += ",\n\"search_path\":" + json_of(parts.search_path).dump();
    text += ",\n\"schemas\":" + json_of(parts.schemas).dump();
    write_all(text, "relations", parts.relations);
    write_all(text, "functions", parts.functions);
    write_all(text, "operators", parts.operators);
    write_all(text, "casts", parts.casts);
    write_all(text, "types", parts.types);
    return text += "}\n";
}

Result<CatalogueParts> read_catalogue_text(std::string_view text)
{
    const auto broken = [] {
        return failure(Fault::malformed, "this is no catalogue that this program wrote");
    };
    if (text.size() > text_limit)
        return broken();
    const json object = json::parse(text, nullptr, false);
    const auto version = object.is_object() ? object.find("form") : object.end();
    if (version == object.end() || *version != form)
        return broken();
    CatalogueParts parts;
    ObjectReader reader;
    reader.take(object, "search_path", parts.search_path);
    reader.take(object, "schemas", parts.schemas);
    read_all(reader, object, "relations", parts.relations);
    read_all(reader, object, "functions", parts.functions);
    read_all(reader, object, "operators", parts.operators);
    read_all(reader, object, "casts", parts.casts);
    read_all(reader, object, "types", parts.types);
    if (reader.failed())
        return broken();
    return parts;
}

bool CatalogueFile::save(std::shared_ptr<const Catalogue> catalogue)
{
    if (busy_.exchange(true))
        return false;
    const auto write = [this, kept = std::move(catalogue)] {
        if (auto written = replace_where_different(file_, write_catalogue(kept->parts())); !written)
            spdlog::warn("event=catalogue_unsaved reason=\"{}\"", written.error().detail);
        busy_ = false;
    };
    try {
        thread_ = std::jthread(write);  // the one before has nothing left to do
    } catch (const std::system_error&) {
        busy_ = false;  // no thread to be had: another time
        return false;
    }
    return true;
}

Result<CatalogueParts> load_catalogue(const std::string& file)
{
    TRY(text, load_state_file(file, text_limit));
    if (!text)
        return failure(Fault::unavailable, "there is no file " + file);
    auto parts = read_catalogue_text(*text);
    if (!parts)
        return failure(Fault::unavailable, "file " + file + ": " + parts.error().detail);
    return parts;
}

}  // namespace sallyport::postgres
