#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "watcher/drivers/compose_records.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// The revisions that a name can mean: the revision or how it begins, an image's name or its tag alone, an image's id or
// how that begins.
NameMeans revisions_named(const ComposeRecords& records, const std::string& name);

// What a switch changes, a line for each service of the project whose image differs.
std::vector<std::string> images_between(const ComposeRecords& records, const rules::Revision& from,
                                        const rules::Revision& to, std::size_t most);

// "shop:v1 (3f1d2c9a0b7e)".
std::string shown_image(const ComposeImage& image);

}  // namespace watcher
