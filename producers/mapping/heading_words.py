"""Words of weighbridges and laboratories in seven languages, for proposing a mapping only.

English, French, Spanish, Portuguese, German, Russian, Chinese. A word leads to a field that a
person then confirms; nothing is read by these alone.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from producers.mapping.unit_words import plain

LIMIT_WORDS = (
    "ND", "N.D.", "<LOD", "<LOQ", "<DL", "<MDL", "BDL", "BLD", "LOD", "LLD", "<LD", "<LQ", "n.n.",
    "<NG", "<NWG", "<BG", "u.N.", "unter NG", "unter BG", "н.о.", "未检出",
)  # fmt: skip
"""What laboratories write where they found less than their method can see."""

TOTAL_WORDS = (
    "total", "totals", "totaux", "totales", "totais", "sum", "summe", "gesamt", "somme", "suma",
    "soma", "subtotal", "sub-total", "sous-total", "zwischensumme", "итого", "всего", "合计",
    "总计", "小计",
)  # fmt: skip
"""First word of a row that sums up others."""

AVERAGE_WORDS = (
    "average", "averages", "avg", "mean", "moyenne", "moyennes", "promedio", "promedios", "media",
    "média", "medias", "médias", "mittel", "mittelwert", "durchschnitt", "среднее", "средние",
    "平均", "平均值",
)  # fmt: skip
"""First word of a row that averages others."""

_HEADINGS: Mapping[str, str] = MappingProxyType(
    {
        "ticket_no": "ticket no|ticket|ticket number|ticket nr|ticket id|docket|docket no|slip no"
        "|weighing no|n° ticket|no ticket|numéro ticket|numéro de ticket|n° de ticket|n° pesée"
        "|numéro pesée|bon de pesée|n° bon|no de boleta|boleta|n° boleta|nro ticket|folio"
        "|nº ticket|nº do ticket|ticket de pesagem|nº pesagem|wiegeschein|wiegeschein-nr"
        "|wiegescheinnummer|wiegenummer|wiege-nr|scheinnummer|beleg-nr|№ талона|номер талона"
        "|талон|№ взвешивания|номер взвешивания|磅单号|过磅单号|磅单编号|流水号|单号"
        "|weighbridge ticket|wb ticket|ticket de pesée|pesée|pesaje|pesagem|talão|boleto|bon"
        "|wägeschein|lfd nr|laufende nr|wiegung|билет|билета|отвес|отвеса|отвесная"
        "|весовая|№ п/п|过磅编号|称重单号|称重编号|磅单|榜单号|票号|单据号|序号",
        "lot_id": "lot|lot no|lot number|lot id|batch|batch no|batch id|parcel|consignment"
        "|n° lot|numéro de lot|no lot|lote|n° lote|nº lote|nº do lote|número de lote|partida"
        "|charge|los|los-nr|losnummer|chargen-nr|partie|партия|№ партии|номер партии"
        "|批号|批次|批次号"
        "|los nr|chargennummer|лот|№ лота|批次编号|批号/批次|矿批号|货批|批",
        "gross_kg": "gross|gross weight|gross wt|gross mass|weight in|brut|poids brut|masse brute"
        "|p brut|bruto|peso bruto|brutto|bruttogewicht|brutto gewicht|брутто|вес брутто"
        "|масса брутто|毛重"
        "|poids chargé|peso lleno|peso cheio|peso carregado|p bruto|bruttomasse|vollgewicht"
        "|вес с грузом|总重|重车重量|重车",
        "tare_kg": "tare|tare weight|tare wt|tare mass|poids tare|p tare|tara|peso tara"
        "|taragewicht|leergewicht|тара|вес тары|масса тары|皮重"
        "|poids à vide|tare véhicule|destare|peso vacío|peso vazio|taramasse|вес порожнего"
        "|вес без груза|空车重量|车皮重|空重|空车",
        "net_kg": "net|net weight|net wt|net mass|nett|nett weight|poids net|masse nette|p net"
        "|neto|peso neto|líquido|peso líquido|peso liquido|netto|nettogewicht|нетто|вес нетто"
        "|масса нетто|净重"
        "|nettomasse|чистый вес|净重量|货重",
        "occurred_at": "date|datetime|date time|date/time|date and time|timestamp|date out"
        "|date heure|date/heure|date et heure|date pesée|date de pesée|fecha|fecha hora"
        "|fecha y hora|fecha/hora|data|data hora|data/hora|data e hora|datum|datum uhrzeit"
        "|datum/uhrzeit|wiegedatum|дата|дата время|дата и время|дата взвешивания|日期|日期时间"
        "|时间日期|过磅时间|过磅日期|report date|date reported|date finalized|date d'analyse"
        "|fecha de análisis|datum der analyse|analysedatum|analysendatum|prüfdatum|дата анализа"
        "|检测日期|报告日期|date analysed"
        "|analysis date|date analyzed"
        "|date heure pesée|date et heure pesée|jour|fecha pesaje|fecha hora pesaje|fecha salida"
        "|fecha entrada|dia|data pesagem|data hora pesagem|datum zeit|datum/zeit|datum und uhrzeit"
        "|wägedatum|дата/время|дата отвеса|дата и время взвешивания"
        "|称重日期|称重时间|过磅日期时间|分析日期|化验日期",
        "time": "time|time out|heure|heure pesée|hora|zeit|uhrzeit|время|时间"
        "|hora pesaje|hora pesagem|wägezeit|wiegezeit|время взвешивания|время отвеса|时刻",
        "vehicle_id": "vehicle|vehicle no|vehicle id|vehicle reg|registration|reg no|truck"
        "|truck no|truck id|licence plate|license plate|plate|rego|véhicule|immatriculation"
        "|immat|camion|n° camion|vehículo|placa|placas|patente|matrícula|veículo|caminhão"
        "|fahrzeug|kennzeichen|kfz|kfz-kennzeichen|машина|автомобиль|гос номер|госномер"
        "|номер машины|номер авто|车号|车牌|车牌号"
        "|truck reg|registration plate|plaque|plaque immatriculation|placa vehículo|placa camión"
        "|placa veículo|placa caminhão|caminhao|camión|lkw|lkw-kennzeichen|kfz-kennz"
        "|fahrzeugnummer|а/м|номер а/м|рег номер|госзнак|грн|车牌号码|车辆号|车辆|车辆号码",
        "movement_id": "trip|trip no|trip id|waybill|waybill no|delivery note|voyage|n° voyage"
        "|bon de livraison|lettre de voiture|viaje|guía|guia|guía de remisión|viagem"
        "|lieferschein|lieferschein-nr|fahrt|рейс|№ рейса|накладная|№ накладной|ттн|运单号|车次"
        "|bl|n° bl|guía despacho|nota fiscal|conhecimento|тн|运单|送货单号",
        "device_id": "scale|scale no|scale id|weighbridge|bridge|bascule|pont bascule|pont|báscula"
        "|bascula|balanza|balança|waage|waage-nr|waagennummer|весы|№ весов|磅房|磅号|地磅"
        "|instrument|instrument sn|instrument serial num|instrument serial|serial no|analyzer",
        "direction": "direction|in/out|sens|entrée/sortie|sentido|dirección|direção|richtung"
        "|направление|进出|方向",
        "purpose": "purpose|type|movement type|type de pesée|mouvement|tipo|tipo de movimiento"
        "|movimiento|movimientos|tipo de movimento|movimento|art|bewegung"
        "|vorgang|тип|вид операции|операция|过磅类型|类型",
        "site_id": "site|site id|location|plant|mine|usine|planta|mina|werk|standort|площадка"
        "|рудник|участок|矿山|厂区",
        "certificate_no": "certificate|certificate no|certificate number|cert no|report no"
        "|report number|job no|work order|workorder|batch report|certificat|n° certificat"
        "|n° rapport|certificado|n° certificado|nº certificado|informe|n° informe|laudo"
        "|nº laudo|zertifikat|zertifikat-nr|prüfbericht|prüfbericht-nr"
        "|prüfberichts-nr|prüfberichtsnummer|prüfberichtnummer|сертификат"
        "|№ сертификата|протокол|№ протокола|证书编号|报告编号|报告号"
        "|rapport|rapport analyse|certificat analyse|certificado análisis|certificado análise"
        "|relatório|analysen-nr|analysenzertifikat|analysennummer|№ анализа|номер анализа|检验编号"
        "|检测报告编号|化验单号|化验单",
        "sample_id": "sample|sample id|sample no|sample number|sampleid|sample name|lab no"
        "|sample description|échantillon|n° échantillon|réf échantillon|muestra|n° muestra"
        "|id muestra|amostra|nº amostra|probe|proben-nr|probennummer|probe-nr|проба|№ пробы"
        "|номер пробы|样品|样品编号|样号|样品号"
        "|id amostra|probennr|шифр пробы|试样编号|试样|送样号",
        "lab_id": "laboratory|lab|lab id|lab name|laboratoire|labo|laboratorio|laboratório|labor"
        "|лаборатория|实验室"
        "|化验室",
        "method": "method|method code|méthode|método|methode|verfahren|метод|методика|方法",
        "stage": "stage|status|statut|estado|estágio|stufe|статус|стадия|阶段",
        "party": "party|partie prenante|parte|partei|сторона|方",
        "moisture": "moisture|moisture content|h2o|h2o-|humidity|humidité|taux d'humidité"
        "|humedad|umidade|feuchte|feuchtigkeit|wassergehalt|влажность|влага|水分|含水率|水份"
        "|teneur en eau|teor umidade|humedad h2o|feuchtegehalt|массовая доля влаги"
        "|массовая доля воды|содержание влаги|含水量|含水",
        "shot_no": "reading|reading no|reading #|reading number|shot|shot no|measurement no"
        "|n° mesure|mesure|lectura|leitura|messung|mess-nr|замер|№ замера|测量编号|读数"
        "|medición|lectura nº|измерение",
        "live_time_s": "live time|duration|durée|duración|duração|messzeit|dauer|длительность"
        "|测量时间",
        "mode": "mode|modus|modo|режим|模式",
    }
)

FIELD_BY_WORD: Mapping[str, str] = MappingProxyType(
    {plain(word): field for field, words in _HEADINGS.items() for word in words.split("|")}
)
"""Field of a request by a heading as headings are compared; ``time`` goes with ``occurred_at``."""

_FILLERS = frozenset({
    "n", "o", "no", "n°", "nr", "nro", "num", "number", "numero", "numéro", "número", "nummer",
    "номер", "id", "код", "шифр", "code", "cod", "código", "codigo", "de", "del", "do", "da", "du",
    "des", "d", "la", "le", "l", "el", "the", "of",
})  # fmt: skip
"""What stands in a heading and says nothing of which one it is."""


def bare(text: str) -> str:
    """Return the words of a heading that tell: no number signs, articles, hyphens or points."""
    return " ".join(w for w in re.split(r"[\s\-./:#'’]+", plain(text)) if w and w not in _FILLERS)


def _bare_words() -> Mapping[str, str]:
    fields: dict[str, set[str]] = {}
    for word, field in FIELD_BY_WORD.items():
        fields.setdefault(bare(word), set()).add(field)
    # "lab" would be the laboratory, and "lab no" is its sample: what two could be is neither.
    return {word: some.pop() for word, some in fields.items() if word and len(some) == 1}


FIELD_BY_BARE_WORD: Mapping[str, str] = MappingProxyType(_bare_words())
"""The same by the words that tell, where they can mean one field only."""

_ELEMENTS: Mapping[str, str] = MappingProxyType(
    {
        "Cu": "copper|cuivre|cobre|kupfer|медь|меди|铜",
        "Co": "cobalt|cobalto|kobalt|кобальт|кобальта|钴",
        "Ni": "nickel|níquel|niquel|никель|никеля|镍",
        "Zn": "zinc|cinc|zinco|zink|цинк|цинка|锌",
        "Pb": "lead|plomb|plomo|chumbo|blei|свинец|свинца|铅",
        "Fe": "iron|fer|hierro|ferro|eisen|железо|железа|铁",
        "Mn": "manganese|manganèse|manganeso|manganês|mangan|марганец|марганца|锰",
        "Li": "lithium|litio|lítio|литий|лития|锂",
        "Sn": "tin|étain|estaño|estanho|zinn|олово|олова|锡",
        "W": "tungsten|wolfram|tungstène|wolframio|tungsteno|tungstênio|вольфрам|вольфрама|钨",
        "Ta": "tantalum|tantale|tántalo|tântalo|tantalio|tantal|тантал|тантала|钽",
        "Nb": "niobium|niobio|nióbio|niob|ниобий|ниобия|铌",
        "Al": "aluminium|aluminum|aluminio|alumínio|алюминий|алюминия|铝",
        "Mg": "magnesium|magnésium|magnesio|magnésio|магний|магния|镁",
        "Ca": "calcium|calcio|cálcio|kalzium|кальций|кальция|钙",
        "Si": "silicon|silicium|silicio|silício|кремний|кремния|硅",
        "S": "sulphur|sulfur|soufre|azufre|enxofre|schwefel|сера|серы|硫",
        "P": "phosphorus|phosphore|fósforo|phosphor|фосфор|фосфора|磷",
        "As": "arsenic|arsénico|arsênio|arsênico|arsen|мышьяк|мышьяка|砷",
        "Sb": "antimony|antimoine|antimonio|antimônio|antimon|сурьма|сурьмы|锑",
        "Bi": "bismuth|bismuto|wismut|висмут|висмута|铋",
        "Cd": "cadmium|cadmio|cádmio|kadmium|кадмий|кадмия|镉",
        "U": "uranium|uranio|urânio|uran|уран|урана|铀",
        "Au": "gold|or|oro|ouro|золото|золота|金",
        "Ag": "silver|argent|plata|prata|silber|серебро|серебра|银",
        "Pt": "platinum|platine|platino|platina|platin|платина|платины|铂",
        "Pd": "palladium|paladio|paládio|палладий|палладия|钯",
        "Li2O": "lithium oxide|oxyde de lithium|óxido de litio|óxido de lítio|lithiumoxid"
        "|оксид лития|氧化锂",
        "SiO2": "silica|silicon dioxide|silice|dioxyde de silicium|sílice|dióxido de silicio"
        "|sílica|dióxido de silício|siliziumdioxid|siliciumdioxid|kieselsäure|кремнезём|кремнезем"
        "|диоксид кремния|оксид кремния|二氧化硅",
        "Al2O3": "alumina|aluminium oxide|aluminum oxide|alumine|alúmina|aluminiumoxid|tonerde"
        "|глинозём|глинозем|оксид алюминия|氧化铝|三氧化二铝",
        "Fe2O3": "ferric oxide|oxyde ferrique|óxido férrico|eisen(iii)-oxid|三氧化二铁|氧化铁",
        "CaO": "calcium oxide|oxyde de calcium|óxido de calcio|óxido de cálcio|calciumoxid"
        "|оксид кальция|氧化钙",
        "MgO": "magnesia|magnesium oxide|magnésie|oxyde de magnésium|óxido de magnesio"
        "|óxido de magnésio|magnesiumoxid|оксид магния|氧化镁",
        "TiO2": "titanium dioxide|dioxyde de titane|dióxido de titanio|dióxido de titânio"
        "|titandioxid|диоксид титана|二氧化钛",
        "P2O5": "phosphorus pentoxide|pentoxyde de phosphore|pentóxido de fósforo"
        "|phosphorpentoxid|пентоксид фосфора|五氧化二磷",
        "K2O": "potassium oxide|oxyde de potassium|óxido de potasio|óxido de potássio|kaliumoxid"
        "|оксид калия|氧化钾",
        "Na2O": "sodium oxide|oxyde de sodium|óxido de sodio|óxido de sódio|natriumoxid"
        "|оксид натрия|氧化钠",
    }
)

ELEMENT_BY_NAME: Mapping[str, str] = MappingProxyType(
    {plain(name): symbol for symbol, names in _ELEMENTS.items() for name in names.split("|")}
)
"""Symbol of an element, or formula of an oxide, by its name in the seven languages."""

GRADE_WORDS = (
    "grade", "content", "assay", "teneur en", "teneur d'", "teneur", "titre", "ley de", "ley",
    "contenido de", "teor de", "teor", "gehalt an", "gehalt", "массовая доля", "содержание",
    "концентрация", "品位", "含量", "含",
)  # fmt: skip
"""What stands before or behind an element and says that it is its concentration."""

VALUE_BY_WORD: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "purpose": {
            "dispatch": "dispatch", "expédition": "dispatch", "despacho": "dispatch",
            "expedição": "dispatch", "versand": "dispatch", "отгрузка": "dispatch",
            "发货": "dispatch", "receipt": "receipt", "réception": "receipt",
            "recepción": "receipt", "recebimento": "receipt", "eingang": "receipt",
            "приемка": "receipt", "приёмка": "receipt", "收货": "receipt", "stock": "stock",
            "check": "check",
        },
        "direction": {
            "in": "in", "entrée": "in", "entrada": "in", "eingang": "in", "въезд": "in", "进": "in",
            "out": "out", "sortie": "out", "salida": "out", "saída": "out", "ausgang": "out",
            "выезд": "out", "出": "out",
        },
        "stage": {
            "provisional": "provisional", "provisoire": "provisional", "exchanged": "exchanged",
            "umpire": "umpire", "final": "final", "définitif": "final", "endgültig": "final",
            "provisorio": "provisional",
            "provisório": "provisional", "vorläufig": "provisional",
            "предварительный": "provisional", "предварительная": "provisional",
            "definitivo": "final", "окончательный": "final", "окончательная": "final",
            "арбитраж": "umpire", "арбитражный": "umpire", "arbitral": "umpire",
            "初步": "provisional", "暂定": "provisional", "最终": "final", "仲裁": "umpire",
        },
        "party": {
            "seller": "seller", "vendeur": "seller", "vendedor": "seller", "verkäufer": "seller",
            "buyer": "buyer", "acheteur": "buyer", "comprador": "buyer", "käufer": "buyer",
            "umpire": "umpire", "arbitre": "umpire", "plant": "plant", "usine": "plant",
            "продавец": "seller", "покупатель": "buyer", "арбитр": "umpire", "卖方": "seller",
            "买方": "buyer", "仲裁": "umpire",
        },
    }
)  # fmt: skip
"""What a word in a column says, where it can mean one thing only."""
