"""Names of invented people in twelve languages, for demo members and tests.

Telephone numbers come from ranges that regulators keep free for fiction (Ofcom "telephone numbers for use in TV and
radio drama", NANPA 555-01XX, Arcep decision 2018-0881, PTS "telefonnummer för böcker och filmer"), e-mail domains
from RFC 2606, so that nobody real is ever written to.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class People:
    """Names of one language.

    Args:
        locale: as master systems write it, with an underscore.
        share: how often the language occurs, relative to the others.
        given: given names.
        family: family names.
        phone: number for fiction with ``{}`` where digits vary, or empty where no range is reserved.
        digits: how many digits vary.
    """

    locale: str
    share: int
    given: tuple[str, ...]
    family: tuple[str, ...]
    phone: str = ""
    digits: int = 0


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PEOPLE: tuple[People, ...] = (
    People(
        "de_DE",
        22,
        _split(
            "Anna Jürgen Käthe Björn Sören Lena Jonas Grete Matthäus Ömer Friederike Moritz Ute Clara Henning Annegret"
        ),
        _split(
            "Müller Schäfer Weiß Groß Köhler Jäger Schröder Özdemir Böhm Vogt Kühn Hübner Lange Strauß Günther Franz"
        ),
    ),
    People(
        "en_GB",
        18,
        _split(
            "Amelia Oliver Siobhán Rhys Imogen Callum Zoë Fergus Beatrice Niamh Alistair Chloë Owen Harriet Dylan Maeve"
        ),
        _split(
            "O'Brien Smith-Jones MacLeod Ashworth Featherstone Pryce Okafor Whitaker Singh Hughes D'Arcy Lowe Patel Kerr"
        ),
        "+44 7700 900{}",
        3,
    ),
    People(
        "en_US",
        8,
        _split("Jordan Madison Tyler Harper Renée Caleb Savannah Mateo Brooklyn Ezra Imani Wyatt Noelle Desmond"),
        _split("Nguyen Washington Kowalski Hernández Brooks Delgado Reyes Goldberg Thompson McCarthy Park Levine"),
        "+1 212 555 01{}",
        2,
    ),
    People(
        "fr_FR",
        14,
        _split(
            "Élodie François Chloé Jérôme Noël Anaïs Gaël Maëlle Benoît Zoé Aurélien Hélène Loïc Océane Étienne Inès"
        ),
        _split("Lefèvre Béranger Gauthier Lemaître Dupré N'Diaye Crépin Chevalier Hébert Moreau Delaunay Poirier Côté"),
        "+33 6 39 98 {}",
        4,
    ),
    People(
        "es_ES",
        12,
        _split("Íñigo Begoña Álvaro Lucía Ángel Sofía Joaquín Inés Iñaki Rocío Andrés Nuria Óscar Pilar Martín Ximena"),
        _split("Núñez Ibáñez García Gutiérrez Muñoz Peña Fernández Ordóñez Vázquez Castaño Yáñez Rincón Zúñiga Solís"),
    ),
    People(
        "it_IT",
        6,
        _split("Niccolò Giulia Matteo Letizia Gaetano Chiara Noè Beatrice Lorenzo Ilaria Edoardo Pietro Fiorella"),
        _split("D'Angelo Esposito Bianchi Cantù Dell'Acqua Moretti Forlì Ferrari Ricci Barbieri Donà Gallo"),
    ),
    People(
        "pl_PL",
        6,
        _split("Łukasz Małgorzata Zbigniew Agnieszka Paweł Świętosława Michał Bożena Wojciech Żaneta Stanisław Kinga"),
        _split("Wiśniewski Dąbrowska Wójcik Źrebiec Zieliński Szczęsny Kamińska Łuczak Gołębiowska Ćwik Mróz"),
    ),
    People(
        "tr_TR",
        5,
        _split("İpek Ayşe Çağlar Gül Şükrü Ömür Işıl Tuğçe Mehmet Ülkü Doğan Zeynep"),
        _split("Yılmaz Çelik Şahin Öztürk Işık Güneş Aydoğan Kılıç Arslan Topçu"),
    ),
    People(
        "sv_SE",
        4,
        _split("Åsa Göran Märta Östen Linnéa Håkan Sigrid Sören Elsa Börje"),
        _split("Åkesson Lindström Öberg Söderberg Nyström Ångström Hägg Sjögren"),
        "+46 70 174 06 {}",
        2,
    ),
    People(
        "el_GR",
        2,
        _split("Ελένη Γιώργος Δήμητρα Νίκος Σοφία Ανδρέας"),
        _split("Παπαδοπούλου Γεωργίου Νικολάου Ιωάννου Κωνσταντίνου"),
    ),
    People("ja_JP", 2, _split("さくら 陽翔 美咲 健太 結衣 大輔"), _split("佐藤 鈴木 高橋 田中 渡辺 髙﨑")),
    People("vi_VN", 1, _split("Thảo Minh Hằng Đức Ngọc"), _split("Nguyễn Trần Lê Phạm Đặng")),
)
